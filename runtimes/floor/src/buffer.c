#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fatal.h"

enum { LEAST_CAPACITY = 48 };

static _Noreturn void out_of_memory(void) {
    fatal("there is no memory left; start fewer agents");
}

static void resize(struct buffer *buffer, size_t capacity) {
    char *const bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL)
        out_of_memory();
    buffer->bytes = bytes;
    buffer->capacity = capacity;
}

void buffer_reserve(struct buffer *buffer, size_t size) {
    if (size > SIZE_MAX / 2 - buffer->size)
        out_of_memory();
    size_t const needed = buffer->size + size + 1;
    if (needed <= buffer->capacity)
        return;
    size_t const grown = buffer->capacity + buffer->capacity / 2;
    size_t const capacity = grown > LEAST_CAPACITY ? grown : LEAST_CAPACITY;
    resize(buffer, capacity > needed ? capacity : needed);
}

void buffer_append(struct buffer *buffer, struct slice text) {
    buffer_reserve(buffer, text.size);
    if (text.size > 0)
        memcpy(buffer->bytes + buffer->size, text.bytes, text.size);
    buffer->size += text.size;
    buffer->bytes[buffer->size] = '\0';
}

void buffer_append_char(struct buffer *buffer, char c) {
    buffer_append(buffer, (struct slice){&c, 1});
}

void buffer_append_integer(struct buffer *buffer, int64_t number) {
    buffer_format(buffer, "%lld", (long long)number);
}

void buffer_format(struct buffer *buffer, char const *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int const length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    size_t const size = length < 0 ? 0 : (size_t)length;
    buffer_reserve(buffer, size);
    vsnprintf(buffer->bytes + buffer->size, size + 1, format, again);
    va_end(again);
    buffer->size += size;
}

void buffer_clear(struct buffer *buffer) {
    buffer->size = 0;
}

void buffer_free(struct buffer *buffer) {
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}

void buffer_fit(struct buffer *buffer) {
    if (buffer->size == 0)
        buffer_free(buffer);
    else if (buffer->capacity > buffer->size + 1)
        resize(buffer, buffer->size + 1);
}

struct slice buffer_slice(struct buffer const *buffer) {
    return buffer->bytes == NULL ? SLICE("") : (struct slice){buffer->bytes, buffer->size};
}

void *allocate(size_t count, size_t size) {
    void *const memory = calloc(count, size);
    if (memory == NULL && count > 0 && size > 0)
        out_of_memory();
    return memory;
}
