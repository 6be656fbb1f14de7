#include "tail.h"

#include <string.h>

void tail_append(struct tail *tail, struct slice piece) {
    if (piece.size > tail->limit)
        piece = slice_after(piece, piece.size - tail->limit);
    size_t const room = tail->limit - tail->kept.size;
    size_t const fitting = piece.size < room ? piece.size : room;
    buffer_append(&tail->kept, slice_first(piece, fitting));
    piece = slice_after(piece, fitting);
    // It is full: the oldest bytes make way.
    while (piece.size > 0) {
        size_t const up_to_end = tail->limit - tail->oldest;
        size_t const size = piece.size < up_to_end ? piece.size : up_to_end;
        memcpy(tail->kept.bytes + tail->oldest, piece.bytes, size);
        tail->oldest = (tail->oldest + size) % tail->limit;
        piece = slice_after(piece, size);
    }
}

static void reverse(char *bytes, size_t size) {
    for (size_t i = 0; i < size / 2; ++i) {
        char const c = bytes[i];
        bytes[i] = bytes[size - 1 - i];
        bytes[size - 1 - i] = c;
    }
}

struct slice tail_slice(struct tail *tail) {
    // A rotation in place is three reversals.
    if (tail->oldest > 0) {
        reverse(tail->kept.bytes, tail->oldest);
        reverse(tail->kept.bytes + tail->oldest, tail->kept.size - tail->oldest);
        reverse(tail->kept.bytes, tail->kept.size);
        tail->oldest = 0;
    }
    return buffer_slice(&tail->kept);
}

void tail_free(struct tail *tail) {
    buffer_free(&tail->kept);
    tail->oldest = 0;
}
