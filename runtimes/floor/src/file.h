#ifndef FILE_H
#define FILE_H

#include "buffer.h"

// Each returns false, with errno set, where the system refuses.

/// Appends the rest of what a descriptor gives.
bool file_read_rest(int file, struct buffer *content);
bool file_read(char const *path, struct buffer *content);
bool file_write_all(int file, struct slice content);
/// Writes a file in an open folder whole or not at all: under another name, and then renamed.
bool file_write_in(int folder, char const *name, struct slice content);

#endif
