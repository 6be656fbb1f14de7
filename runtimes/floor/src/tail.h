#ifndef TAIL_H
#define TAIL_H

#include "buffer.h"

/// The last bytes of an output, `limit` at most: a ring once it is full. All zeros but `limit` is an empty
/// one.
struct tail {
    struct buffer kept;
    size_t limit;
    size_t oldest;
};

void tail_append(struct tail *tail, struct slice piece);
/// What is kept, in order.
struct slice tail_slice(struct tail *tail);
void tail_free(struct tail *tail);

#endif
