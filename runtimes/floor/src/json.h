#ifndef JSON_H
#define JSON_H

#include "buffer.h"

// A JSON value is where it stands in a text that `json_read` has accepted: nothing is built, nothing is
// copied.
//
// Strict RFC 8259 in UTF-8, and stricter: no half of a surrogate pair, and not more than JSON_DEPTH
// containers in each other.

enum { JSON_DEPTH = 512 };

/// Reads a text that is one value; false if it is none. The byte behind `text` must be no part of a number:
/// buffers end in NUL.
bool json_read(struct slice text, struct slice *value);

// Of a value: what it begins with says what it is. An empty slice, a value that is not there, is nothing at
// all.
bool json_is_object(struct slice value);
bool json_is_array(struct slice value);
bool json_is_string(struct slice value);
bool json_is_number(struct slice value);
bool json_is_null(struct slice value);

/// Goes through the members of an object or the elements of an array.
struct json_items {
    char const *at;
};
struct json_items json_items(struct slice container);
bool json_next_member(struct json_items *items, struct slice *name, struct slice *value);
bool json_next_element(struct json_items *items, struct slice *value);

/// Puts the last member of each name into `values`; empty where there is none or `object` is no object.
void json_members(struct slice object, struct slice const names[], struct slice values[], size_t count);
/// The last member of that name; empty if there is none or if `object` is no object.
struct slice json_member(struct slice object, struct slice name);
/// Appends the characters that a string stands for.
void json_append_decoded(struct buffer *text, struct slice string);
/// Whether a number is written without a point and an exponent.
bool json_is_integer(struct slice value);
/// Whether no number in a value with a point or an exponent, or none at all, is beyond a double.
bool json_is_finite(struct slice value, bool integers_too);
/// Whether a string stands for no characters.
bool json_is_empty_string(struct slice string);

#endif
