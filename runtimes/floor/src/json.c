#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum { HEXADECIMAL_DIGITS = 4 };

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// The value of four hexadecimal digits, or -1.
static int32_t hexadecimal(struct slice text) {
    int32_t value = 0;
    if (text.size < HEXADECIMAL_DIGITS)
        return -1;
    for (int i = 0; i < HEXADECIMAL_DIGITS; ++i) {
        char const c = text.bytes[i];
        int32_t const digit = is_digit(c)              ? c - '0'
                              : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                              : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                                       : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/// Takes a backslash and what it escapes; returns the code point, or -1.
static int32_t take_escape(struct slice *rest) {
    static char const ESCAPES[] = "\"\\/bfnrt", MEANINGS[] = "\"\\/\b\f\n\r\t";
    if (rest->size < 2)
        return -1;
    char const kind = rest->bytes[1];
    *rest = slice_after(*rest, 2);
    if (kind != 'u') {
        char const *const escape = kind == '\0' ? NULL : strchr(ESCAPES, kind);
        return escape == NULL ? -1 : MEANINGS[escape - ESCAPES];
    }
    int32_t const first = hexadecimal(*rest);
    if (first < 0 || (first & 0xFC00) == 0xDC00)
        return -1;
    *rest = slice_after(*rest, HEXADECIMAL_DIGITS);
    if ((first & 0xFC00) != 0xD800)
        return first;
    if (!take(rest, SLICE("\\u")))
        return -1;
    int32_t const second = hexadecimal(*rest);
    if ((second & ~0x3FF) != 0xDC00)
        return -1;
    *rest = slice_after(*rest, HEXADECIMAL_DIGITS);
    return 0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF);
}

/// Characters of a string that stand for themselves.
static bool is_plain(char c) {
    return c != '"' && c != '\\' && (unsigned char)c >= ' ';
}

static bool take_string(struct slice *rest) {
    if (!take(rest, SLICE("\"")))
        return false;
    for (;;) {
        take_while(rest, is_plain);
        if (take(rest, SLICE("\"")))
            return true;
        if (rest->size == 0 || rest->bytes[0] != '\\' || take_escape(rest) < 0)
            return false;
    }
}

static bool take_number(struct slice *rest) {
    take(rest, SLICE("-"));
    if (!take(rest, SLICE("0")) && take_while(rest, is_digit) == 0)
        return false;
    if (take(rest, SLICE(".")) && take_while(rest, is_digit) == 0)
        return false;
    if (!take(rest, SLICE("e")) && !take(rest, SLICE("E")))
        return true;
    if (!take(rest, SLICE("+")))
        take(rest, SLICE("-"));
    return take_while(rest, is_digit) > 0;
}

/// What it begins with decides what it is, because what is no string or number may have been taken in part.
static bool take_scalar(struct slice *rest) {
    if (json_is_string(*rest))
        return take_string(rest);
    if (json_is_number(*rest))
        return take_number(rest);
    return take(rest, SLICE("true")) || take(rest, SLICE("false")) || take(rest, SLICE("null"));
}

static void take_spaces(struct slice *rest) {
    take_while(rest, is_space);
}

static bool take_name(struct slice *rest) {
    take_spaces(rest);
    if (!take_string(rest))
        return false;
    take_spaces(rest);
    return take(rest, SLICE(":"));
}

/// Takes one value. No recursion: what is open is a stack of brackets.
static bool take_value(struct slice *rest) {
    char open[JSON_DEPTH];
    int depth = 0;
    for (;;) {
        take_spaces(rest);
        bool const is_object = take(rest, SLICE("{"));
        if (is_object || take(rest, SLICE("["))) {
            if (depth == JSON_DEPTH)
                return false;
            open[depth++] = is_object ? '}' : ']';
            take_spaces(rest);
            if (rest->size == 0 || rest->bytes[0] != open[depth - 1]) {
                if (is_object && !take_name(rest))
                    return false;
                continue;
            }
        } else if (!take_scalar(rest)) {
            return false;
        }
        // A value is over, or a container is empty: what comes next closes containers, or is another value.
        for (;;) {
            if (depth == 0)
                return true;
            take_spaces(rest);
            if (take(rest, SLICE(",")))
                break;
            if (!take(rest, (struct slice){&open[depth - 1], 1}))
                return false;
            --depth;
        }
        if (open[depth - 1] == '}' && !take_name(rest))
            return false;
    }
}

bool json_read(struct slice text, struct slice *value) {
    if (!utf8_is_valid(text))
        return false;
    take_spaces(&text);
    struct slice rest = text;
    if (!take_value(&rest))
        return false;
    *value = slice_first(text, text.size - rest.size);
    take_spaces(&rest);
    return rest.size == 0;
}

static bool begins_with(struct slice value, char c) {
    return value.size > 0 && value.bytes[0] == c;
}

bool json_is_object(struct slice value) {
    return begins_with(value, '{');
}

bool json_is_array(struct slice value) {
    return begins_with(value, '[');
}

bool json_is_string(struct slice value) {
    return begins_with(value, '"');
}

bool json_is_number(struct slice value) {
    return begins_with(value, '-') || (value.size > 0 && is_digit(value.bytes[0]));
}

bool json_is_null(struct slice value) {
    return begins_with(value, 'n');
}

// From here on the text is known to be JSON, and is not checked again.

static char const *after_spaces(char const *at) {
    while (is_space(*at))
        ++at;
    return at;
}

static char const *after_string(char const *at) {
    for (++at; *at != '"'; ++at)
        if (*at == '\\')
            ++at;
    return at + 1;
}

static char const *after_value(char const *at) {
    int depth = 0;
    do {
        if (*at == '"') {
            at = after_string(at);
            continue;
        }
        if (*at == '{' || *at == '[') {
            ++depth;
        } else if (*at == '}' || *at == ']') {
            --depth;
        } else if (depth == 0) {
            // A number or a word.
            while (is_digit(*at) || (*at >= 'a' && *at <= 'z') || *at == '-' || *at == '+' || *at == '.' ||
                   *at == 'E')
                ++at;
            return at;
        }
        ++at;
    } while (depth > 0);
    return at;
}

static struct slice value_at(char const *at) {
    return (struct slice){at, (size_t)(after_value(at) - at)};
}

struct json_items json_items(struct slice container) {
    return (struct json_items){after_spaces(container.bytes + 1)};
}

bool json_next_element(struct json_items *items, struct slice *value) {
    if (*items->at == ']' || *items->at == '}')
        return false;
    *value = value_at(items->at);
    items->at = after_spaces(value->bytes + value->size);
    if (*items->at == ',')
        items->at = after_spaces(items->at + 1);
    return true;
}

bool json_next_member(struct json_items *items, struct slice *name, struct slice *value) {
    if (*items->at == '}')
        return false;
    *name = value_at(items->at);
    char const *const colon = after_spaces(name->bytes + name->size);
    items->at = after_spaces(colon + 1);
    return json_next_element(items, value);
}

static bool stands_for(struct slice string, struct slice text) {
    struct slice const inner = {string.bytes + 1, string.size - 2};
    if (memchr(inner.bytes, '\\', inner.size) == NULL)
        return slice_equals(inner, text);
    struct buffer decoded = {0};
    json_append_decoded(&decoded, string);
    bool const equal = slice_equals(buffer_slice(&decoded), text);
    buffer_free(&decoded);
    return equal;
}

void json_members(struct slice object, struct slice const names[], struct slice values[], size_t count) {
    for (size_t i = 0; i < count; ++i)
        values[i] = (struct slice){0};
    if (!json_is_object(object))
        return;
    struct json_items items = json_items(object);
    struct slice candidate, value;
    while (json_next_member(&items, &candidate, &value))
        for (size_t i = 0; i < count; ++i)
            if (stands_for(candidate, names[i]))
                values[i] = value;
}

struct slice json_member(struct slice object, struct slice name) {
    struct slice value;
    json_members(object, &name, &value, 1);
    return value;
}

void json_append_decoded(struct buffer *text, struct slice string) {
    struct slice rest = {string.bytes + 1, string.size - 2};
    while (rest.size > 0) {
        struct slice const before = rest;
        size_t const plain = take_while(&rest, is_plain);
        buffer_append(text, slice_first(before, plain));
        if (rest.size > 0)
            utf8_append_code_point(text, (uint32_t)take_escape(&rest));
    }
    buffer_append(text, SLICE(""));
}

bool json_is_empty_string(struct slice string) {
    return string.size == 2;
}

bool json_is_finite(struct slice value, bool integers_too) {
    char const *const end = value.bytes + value.size;
    for (char const *at = value.bytes; at < end;) {
        if (*at == '"') {
            at = after_string(at);
        } else if (*at == '-' || is_digit(*at)) {
            struct slice const number = value_at(at);
            bool const is_integer = json_is_integer(number);
            if ((integers_too || !is_integer) && !isfinite(strtod(at, NULL)))
                return false;
            at += number.size;
        } else {
            ++at;
        }
    }
    return true;
}

bool json_is_integer(struct slice value) {
    bool is_so = json_is_number(value);
    for (size_t i = 1; i < value.size; ++i)
        is_so &= is_digit(value.bytes[i]);
    return is_so;
}
