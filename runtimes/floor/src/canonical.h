#ifndef CANONICAL_H
#define CANONICAL_H

#include "buffer.h"

// JSON as all runtimes write it: CONTRACT.md, "Request", and vectors/README.md, messages.json.

/// Appends text, which must be UTF-8, in quotes.
void append_quoted(struct buffer *json, struct slice text);
/// Appends what stands between the quotes.
void append_escaped(struct buffer *json, struct slice text);
/// Appends a JSON value, with keys in order, no white space, and numbers in their one spelling.
void append_canonical(struct buffer *json, struct slice value);

/// The members of an object, by the names that they stand for; of several with one name the last.
struct member {
    struct buffer name;
    struct slice value;
};
struct member *sorted_members(struct slice object, size_t *count);
void free_members(struct member *members, size_t count);

#endif
