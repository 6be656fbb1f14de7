#include "feedback.h"

#include <string.h>

#include "utf8.h"

enum { LIMIT_BYTES = 4000 };

/// Moves a piece of the text up to the first `size` bytes, which stay.
static void keep(struct buffer *text, size_t *size, struct slice piece) {
    // Where nothing was taken out yet, musl would move every byte onto itself.
    if (text->bytes + *size != piece.bytes)
        memmove(text->bytes + *size, piece.bytes, piece.size);
    *size += piece.size;
}

/// Replaces everything that `take_it` takes, which begins with `beginning`. `with` is not longer than what it
/// replaces, so all happens in place.
static void replace_each(struct buffer *text, struct slice beginning, bool (*take_it)(struct slice *),
                         struct slice with) {
    struct slice rest = buffer_slice(text);
    size_t size = 0;
    while (rest.size > 0) {
        size_t const at = slice_find(rest, beginning);
        size_t const kept = at == NOT_FOUND ? rest.size : at;
        keep(text, &size, slice_first(rest, kept));
        rest = slice_after(rest, kept);
        if (rest.size == 0)
            break;
        if (take_it(&rest)) {
            memcpy(text->bytes + size, with.bytes, with.size);
            size += with.size;
        } else {
            text->bytes[size++] = rest.bytes[0];
            rest = slice_after(rest, 1);
        }
    }
    text->size = size;
}

static struct slice sought;

static bool take_sought(struct slice *rest) {
    return take(rest, sought);
}

/// Replaces a text by one that is not longer.
static void replace(struct buffer *text, struct slice what, struct slice with) {
    sought = what;
    replace_each(text, what, take_sought, with);
}

static bool is_equals_sign(char c) {
    return c == '=';
}

/// The part of a line that stays if it is `=`s, a space, a text, a duration, a space and `=`s; else the whole
/// line.
static struct slice without_rules(struct slice line) {
    struct slice inner = line;
    if (take_while(&inner, is_equals_sign) == 0 || !take(&inner, SLICE(" ")))
        return line;
    size_t const with_rule = inner.size;
    while (slice_ends_with(inner, SLICE("=")))
        --inner.size;
    if (inner.size == with_rule || !slice_ends_with(inner, SLICE(" ")))
        return line;
    --inner.size;
    for (struct slice before = inner;;) {
        size_t const at = slice_find_last(before, SLICE(" in "));
        if (at == NOT_FOUND)
            return line;
        struct slice duration = slice_after(inner, at);
        if (take_duration(&duration) && duration.size == 0)
            return slice_first(inner, at);
        // It begins before this one.
        before = slice_first(inner, at + strlen(" in ") - 1);
    }
}

/// pytest makes this line as wide as the screen, so how many signs there are depends on the duration.
static void remove_rules(struct buffer *text) {
    struct slice rest = buffer_slice(text), line;
    size_t size = 0;
    while (take_line(&rest, &line)) {
        bool const is_ended = line.bytes + line.size < text->bytes + text->size;
        keep(text, &size, without_rules(line));
        if (is_ended)
            text->bytes[size++] = '\n';
    }
    text->size = size;
}

static bool is_hexadecimal(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool take_address(struct slice *rest) {
    struct slice ahead = *rest;
    if (!take(&ahead, SLICE(" at 0x")) || take_while(&ahead, is_hexadecimal) == 0)
        return false;
    *rest = ahead;
    return true;
}

static bool is_of_name(char c) {
    return c != '/' && !is_white_space(c);
}

static bool take_temporary_folder(struct slice *rest) {
    struct slice ahead = *rest;
    if (!take(&ahead, SLICE("/pytest-of-")) || take_while(&ahead, is_of_name) == 0 ||
        !take(&ahead, SLICE("/pytest-")) || take_while(&ahead, is_digit) == 0)
        return false;
    *rest = ahead;
    return true;
}

static bool is_of_path(char c) {
    return !is_white_space(c) && c != '\'' && c != '"' && c != '(';
}

/// What follows the last `/lib/python3.N/` of a path; false if there is none.
static bool take_standard_library(struct slice *path) {
    for (struct slice before = *path;;) {
        size_t const at = slice_find_last(before, SLICE("/lib/python3."));
        if (at == NOT_FOUND)
            return false;
        struct slice ahead = slice_after(*path, at + strlen("/lib/python3."));
        if (take_while(&ahead, is_digit) > 0 && take(&ahead, SLICE("/"))) {
            *path = ahead;
            return true;
        }
        before = slice_first(*path, at + strlen("/lib/python3.") - 1);
    }
}

/// Makes every path of the standard library relative to where Python is installed.
static void shorten_library_paths(struct buffer *text) {
    struct slice rest = buffer_slice(text);
    size_t size = 0;
    while (rest.size > 0) {
        struct slice path = rest;
        path.size = take_while(&rest, is_of_path);
        if (take_standard_library(&path)) {
            memcpy(text->bytes + size, "lib/python3/", strlen("lib/python3/"));
            size += strlen("lib/python3/");
        }
        keep(text, &size, path);
        if (rest.size > 0) {
            text->bytes[size++] = rest.bytes[0];
            rest = slice_after(rest, 1);
        }
    }
    text->size = size;
}

/// The last `limit` bytes, less a character that is cut at their start.
static struct slice end_of(struct slice text, size_t limit) {
    if (text.size <= limit)
        return text;
    text = slice_after(text, text.size - limit);
    while (text.size > 0 && ((unsigned char)text.bytes[0] & 0xC0) == 0x80)
        text = slice_after(text, 1);
    return text;
}

// The steps and their order are those of runtimes/contract/vectors/README.md.
void normalise(struct slice output, struct slice errors, struct slice workspace, struct buffer *feedback) {
    struct buffer raw = {0}, text = {0};
    buffer_append(&raw, output);
    if (output.size > 0 && errors.size > 0)
        buffer_append_char(&raw, '\n');
    buffer_append(&raw, errors);
    utf8_append(&text, buffer_slice(&raw));
    buffer_clear(&raw);
    replace(&text, SLICE("\r\n"), SLICE("\n"));
    buffer_append(&raw, workspace);
    buffer_append_char(&raw, '/');
    replace(&text, buffer_slice(&raw), SLICE(""));
    replace(&text, workspace, SLICE("."));
    remove_rules(&text);
    replace_each(&text, SLICE(" in "), take_duration, SLICE(""));
    replace_each(&text, SLICE(" at 0x"), take_address, SLICE(" at 0x0"));
    replace_each(&text, SLICE("/pytest-of-"), take_temporary_folder, SLICE("/pytest"));
    shorten_library_paths(&text);
    buffer_append(feedback, end_of(without_trailing_white_space(buffer_slice(&text)), LIMIT_BYTES));
    buffer_free(&raw);
    buffer_free(&text);
}
