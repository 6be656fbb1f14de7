#ifndef BUFFER_H
#define BUFFER_H

#include "slice.h"

/// Bytes that grow. All zeros is an empty one. Out of memory is fatal.
///
/// Where there are bytes, a NUL that does not count follows them.
struct buffer {
    char *bytes;
    size_t size;
    size_t capacity;
};

void buffer_append(struct buffer *buffer, struct slice text);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_append_integer(struct buffer *buffer, int64_t number);
__attribute__((format(printf, 2, 3))) void buffer_format(struct buffer *buffer, char const *format, ...);
/// Makes room for `size` more bytes.
void buffer_reserve(struct buffer *buffer, size_t size);
/// Empties it and keeps its memory, for what comes next.
void buffer_clear(struct buffer *buffer);
/// Empties it and gives its memory back.
void buffer_free(struct buffer *buffer);
/// Gives memory back that is not in use.
void buffer_fit(struct buffer *buffer);
/// Empty, with a NUL behind it, where there are no bytes.
struct slice buffer_slice(struct buffer const *buffer);

/// malloc, and out of memory is fatal; the memory is zeros.
void *allocate(size_t count, size_t size);

#endif
