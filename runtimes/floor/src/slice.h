#ifndef SLICE_H
#define SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Bytes that belong to somebody else; they may hold NUL.
struct slice {
    char const *bytes;
    size_t size;
};

#define SLICE(literal) ((struct slice){literal, sizeof(literal) - 1})
#define NOT_FOUND SIZE_MAX

struct slice slice_of(char const *text);
bool slice_equals(struct slice a, struct slice b);
bool slice_equals_in_any_case(struct slice a, struct slice lower_case);
bool slice_ends_with(struct slice text, struct slice ending);
/// The order of bytes, which in UTF-8 is that of code points: below 0, 0 or above 0.
int slice_compare(struct slice a, struct slice b);
struct slice slice_first(struct slice text, size_t size);
struct slice slice_after(struct slice text, size_t size);
/// Where `sought` begins, or NOT_FOUND.
size_t slice_find(struct slice text, struct slice sought);
/// The same for the last one; `sought` is not empty.
size_t slice_find_last(struct slice text, struct slice sought);

/// Space, tab, LF, CR, VT and FF, as the vectors have it.
bool is_white_space(char c);
bool is_digit(char c);
struct slice without_trailing_white_space(struct slice text);
struct slice stripped(struct slice text);

// Going through a text from left to right: what matches is taken from `rest`, what does not leaves it alone.
bool take(struct slice *rest, struct slice literal);
size_t take_while(struct slice *rest, bool (*belongs)(char));
/// The text up to the next LF, which is taken as well; false at the end of `rest`.
bool take_line(struct slice *rest, struct slice *line);
/// What pytest prints of a duration, ` in 0.12s` or ` in 75.30s (0:01:15)`: vectors/README.md,
/// feedback.json, 5.
bool take_duration(struct slice *rest);

#endif
