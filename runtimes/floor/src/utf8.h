#ifndef UTF8_H
#define UTF8_H

#include "buffer.h"

bool utf8_is_valid(struct slice bytes);
/// Appends `bytes` with U+FFFD for each maximal subpart of what is not UTF-8.
///
/// Source: the WHATWG encoding standard, "UTF-8 decoder".
void utf8_append(struct buffer *text, struct slice bytes);
/// Appends the character of a code point, which must not be a surrogate.
void utf8_append_code_point(struct buffer *text, uint32_t code_point);

#endif
