#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PIECE_BYTES = 16 * 1024 };

bool file_read_rest(int file, struct buffer *content) {
    for (;;) {
        buffer_reserve(content, PIECE_BYTES);
        ssize_t const length = read(file, content->bytes + content->size, PIECE_BYTES);
        if (length < 0 && errno == EINTR)
            continue;
        if (length > 0)
            content->size += (size_t)length;
        content->bytes[content->size] = '\0';
        if (length <= 0)
            return length == 0;
    }
}

bool file_read(char const *path, struct buffer *content) {
    int const file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    bool const read = file_read_rest(file, content);
    int const error = errno;
    close(file);
    errno = error;
    return read;
}

bool file_write_all(int file, struct slice content) {
    while (content.size > 0) {
        ssize_t const written = write(file, content.bytes, content.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        content = slice_after(content, (size_t)written);
    }
    return true;
}

bool file_write_in(int folder, char const *name, struct slice content) {
    static unsigned number;
    char temporary[64];
    snprintf(temporary, sizeof temporary, ".writing-%ld-%u", (long)getpid(), ++number);
    int const file = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0)
        return false;
    bool const written = file_write_all(file, content) && renameat(folder, temporary, folder, name) == 0;
    int const error = errno;
    close(file);
    if (!written)
        unlinkat(folder, temporary, 0);
    errno = error;
    return written;
}
