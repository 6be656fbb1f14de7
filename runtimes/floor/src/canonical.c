#include "canonical.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

// Python, and so the contract, writes smaller numbers with an exponent.
static double const LEAST_WITHOUT_EXPONENT = 0.0001;

enum { MOST_DIGITS = 17 };

static bool stands_for_itself(char c) {
    return c != '"' && c != '\\' && (unsigned char)c >= ' ';
}

void append_escaped(struct buffer *json, struct slice text) {
    static char const CONTROLS[] = "\b\t\n\f\r", SHORT_FORMS[] = "btnfr";
    while (text.size > 0) {
        struct slice const before = text;
        size_t const plain = take_while(&text, stands_for_itself);
        buffer_append(json, slice_first(before, plain));
        if (text.size == 0)
            break;
        char const c = text.bytes[0];
        char const *const control = c == '\0' ? NULL : strchr(CONTROLS, c);
        if (c == '"' || c == '\\')
            buffer_append(json, (struct slice){(char const[]){'\\', c}, 2});
        else if (control != NULL)
            buffer_append(json, (struct slice){(char const[]){'\\', SHORT_FORMS[control - CONTROLS]}, 2});
        else
            buffer_format(json, "\\u%04x", (unsigned)c);
        text = slice_after(text, 1);
    }
}

void append_quoted(struct buffer *json, struct slice text) {
    buffer_append_char(json, '"');
    append_escaped(json, text);
    buffer_append_char(json, '"');
}

/// Appends the fewest digits that read back as the same double.
static void append_fraction(struct buffer *json, double number) {
    char text[32];
    int precision = 0;
    do
        snprintf(text, sizeof text, "%.*e", precision, number);
    while (strtod(text, NULL) != number && ++precision < MOST_DIGITS);
    if (fabs(number) < LEAST_WITHOUT_EXPONENT) {
        buffer_append(json, slice_of(text));
        return;
    }
    // Not below 0.0001, and no whole number: so many digits behind the point that nothing is rounded.
    int const exponent = atoi(strchr(text, 'e') + 1);
    buffer_format(json, "%.*f", precision - exponent, number);
}

static void append_number(struct buffer *json, struct slice literal) {
    double const number = strtod(literal.bytes, NULL);
    if (number == 0)
        buffer_append_char(json, '0');  // Also in place of -0.
    else if (json_is_integer(literal) || !isfinite(number))
        buffer_append(json, literal);
    else if (trunc(number) == number)
        buffer_format(json, "%.0f", number);
    else
        append_fraction(json, number);
}

static int by_name_then_place(void const *a, void const *b) {
    struct member const *const first = a, *const second = b;
    int const order = slice_compare(buffer_slice(&first->name), buffer_slice(&second->name));
    return order != 0
               ? order
               : (first->value.bytes > second->value.bytes) - (first->value.bytes < second->value.bytes);
}

struct member *sorted_members(struct slice object, size_t *count) {
    struct slice name, value;
    size_t all = 0;
    for (struct json_items items = json_items(object); json_next_member(&items, &name, &value);)
        ++all;
    struct member *const members = allocate(all + 1, sizeof *members);
    size_t index = 0;
    for (struct json_items items = json_items(object); json_next_member(&items, &name, &value); ++index) {
        json_append_decoded(&members[index].name, name);
        members[index].value = value;
    }
    qsort(members, all, sizeof *members, by_name_then_place);
    *count = 0;
    for (size_t i = 0; i < all; ++i) {
        bool const comes_again =
            i + 1 < all && slice_equals(buffer_slice(&members[i].name), buffer_slice(&members[i + 1].name));
        if (comes_again)
            buffer_free(&members[i].name);
        else
            members[(*count)++] = members[i];
    }
    return members;
}

void free_members(struct member *members, size_t count) {
    for (size_t i = 0; i < count; ++i)
        buffer_free(&members[i].name);
    free(members);
}

static void append_object(struct buffer *json, struct slice object) {
    size_t count = 0;
    struct member *const members = sorted_members(object, &count);
    buffer_append_char(json, '{');
    for (size_t i = 0; i < count; ++i) {
        if (i > 0)
            buffer_append_char(json, ',');
        append_quoted(json, buffer_slice(&members[i].name));
        buffer_append_char(json, ':');
        append_canonical(json, members[i].value);
    }
    buffer_append_char(json, '}');
    free_members(members, count);
}

void append_canonical(struct buffer *json, struct slice value) {
    if (json_is_object(value)) {
        append_object(json, value);
    } else if (json_is_array(value)) {
        struct slice element;
        char separator = '[';
        for (struct json_items items = json_items(value); json_next_element(&items, &element);
             separator = ',') {
            buffer_append_char(json, separator);
            append_canonical(json, element);
        }
        buffer_append(json, separator == '[' ? SLICE("[]") : SLICE("]"));
    } else if (json_is_string(value)) {
        struct buffer text = {0};
        json_append_decoded(&text, value);
        append_quoted(json, buffer_slice(&text));
        buffer_free(&text);
    } else if (json_is_number(value)) {
        append_number(json, value);
    } else {
        buffer_append(json, value);
    }
}
