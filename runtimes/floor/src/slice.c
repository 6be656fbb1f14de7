#include "slice.h"

#include <string.h>

struct slice slice_of(char const *text) {
    return (struct slice){text, strlen(text)};
}

bool slice_equals(struct slice a, struct slice b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}

bool slice_equals_in_any_case(struct slice a, struct slice lower_case) {
    if (a.size != lower_case.size)
        return false;
    for (size_t i = 0; i < a.size; ++i) {
        char const c = a.bytes[i];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != lower_case.bytes[i])
            return false;
    }
    return true;
}

bool slice_ends_with(struct slice text, struct slice ending) {
    return text.size >= ending.size && slice_equals(slice_after(text, text.size - ending.size), ending);
}

int slice_compare(struct slice a, struct slice b) {
    size_t const common = a.size < b.size ? a.size : b.size;
    int const order = common == 0 ? 0 : memcmp(a.bytes, b.bytes, common);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

struct slice slice_first(struct slice text, size_t size) {
    return (struct slice){text.bytes, size};
}

struct slice slice_after(struct slice text, size_t size) {
    return size == 0 ? text : (struct slice){text.bytes + size, text.size - size};
}

size_t slice_find(struct slice text, struct slice sought) {
    if (text.size < sought.size)
        return NOT_FOUND;
    if (sought.size == 0)
        return 0;
    char const *const found = memmem(text.bytes, text.size, sought.bytes, sought.size);
    return found == NULL ? NOT_FOUND : (size_t)(found - text.bytes);
}

size_t slice_find_last(struct slice text, struct slice sought) {
    if (text.size < sought.size)
        return NOT_FOUND;
    char const *at = text.bytes + text.size - sought.size + 1;
    while ((at = memrchr(text.bytes, sought.bytes[0], (size_t)(at - text.bytes))) != NULL)
        if (memcmp(at, sought.bytes, sought.size) == 0)
            return (size_t)(at - text.bytes);
    return NOT_FOUND;
}

bool is_white_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

struct slice without_trailing_white_space(struct slice text) {
    while (text.size > 0 && is_white_space(text.bytes[text.size - 1]))
        --text.size;
    return text;
}

struct slice stripped(struct slice text) {
    take_while(&text, is_white_space);
    return without_trailing_white_space(text);
}

bool take(struct slice *rest, struct slice literal) {
    if (rest->size < literal.size || memcmp(rest->bytes, literal.bytes, literal.size) != 0)
        return false;
    *rest = slice_after(*rest, literal.size);
    return true;
}

size_t take_while(struct slice *rest, bool (*belongs)(char)) {
    size_t count = 0;
    while (count < rest->size && belongs(rest->bytes[count]))
        ++count;
    *rest = slice_after(*rest, count);
    return count;
}

bool take_line(struct slice *rest, struct slice *line) {
    if (rest->size == 0)
        return false;
    char const *const end = memchr(rest->bytes, '\n', rest->size);
    *line = slice_first(*rest, end == NULL ? rest->size : (size_t)(end - rest->bytes));
    *rest = slice_after(*rest, line->size + (end != NULL));
    return true;
}

static bool is_of_minutes(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == ',' || c == ':' || c == ' ';
}

bool take_duration(struct slice *rest) {
    struct slice ahead = *rest;
    if (!take(&ahead, SLICE(" in ")) || take_while(&ahead, is_digit) == 0 || !take(&ahead, SLICE(".")) ||
        take_while(&ahead, is_digit) == 0 || !take(&ahead, SLICE("s")))
        return false;
    *rest = ahead;
    if (take(&ahead, SLICE(" (")) && take_while(&ahead, is_of_minutes) > 0 && take(&ahead, SLICE(")")))
        *rest = ahead;
    return true;
}
