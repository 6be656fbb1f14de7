#ifndef SHA256_H
#define SHA256_H

#include "slice.h"

enum { SHA256_BYTES = 32 };

/// The digest of `text`. Source: FIPS 180-4, section 6.2.
void sha256(struct slice text, unsigned char digest[SHA256_BYTES]);

#endif
