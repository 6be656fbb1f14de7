#include "fields.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "json.h"

enum { SHOWN_BYTES = 60 };

/// Appends the beginning of a JSON value.
static void append_shown(struct buffer *text, struct slice value) {
    size_t length = value.size;
    if (length > SHOWN_BYTES) {
        length = SHOWN_BYTES;
        while (length > 0 && ((unsigned char)value.bytes[length] & 0xC0) == 0x80)
            --length;
    }
    buffer_append(text, slice_first(value, length));
    if (length < value.size)
        buffer_append(text, SLICE("…"));
}

bool fields_read(struct fields *fields, struct slice where, struct slice text, struct buffer *problem) {
    *fields = (struct fields){where, {0}, {0}, problem};
    struct slice value;
    if (json_read(text, &value) && json_is_object(value)) {
        fields->object = value;
        return true;
    }
    if (problem->size == 0)
        buffer_format(problem, "%.*s: is no JSON object; write one there, in UTF-8", (int)where.size,
                      where.bytes);
    return false;
}

bool fields_read_file(struct fields *fields, struct slice path, struct buffer *text, struct buffer *problem) {
    if (file_read(path.bytes, text))
        return fields_read(fields, path, buffer_slice(text), problem);
    buffer_format(problem, "%s: cannot be read (%s); name a file that is there", path.bytes, strerror(errno));
    return false;
}

/// Begins the problem with the name of the field; false if there is a problem already.
static bool begin_problem(struct fields const *fields, struct slice name) {
    struct buffer *const problem = fields->problem;
    if (problem->size > 0)
        return false;
    buffer_append(problem, fields->where);
    buffer_append(problem, SLICE(": "));
    buffer_append(problem, fields->prefix);
    buffer_append(problem, name);
    return true;
}

void fields_refuse_unshown(struct fields const *fields, struct slice name, char const *wanted) {
    if (begin_problem(fields, name))
        buffer_format(fields->problem, " (not shown) must be %s", wanted);
}

void fields_refuse(struct fields const *fields, struct slice name, char const *wanted) {
    if (!begin_problem(fields, name))
        return;
    struct buffer *const problem = fields->problem;
    struct slice const value = json_member(fields->object, name);
    buffer_append(problem, value.size == 0 ? SLICE(" is missing") : SLICE(" is "));
    append_shown(problem, value);
    buffer_format(problem, "; it must be %s", wanted);
}

void fields_text(struct fields const *fields, struct slice name, struct buffer *text) {
    struct slice const value = json_member(fields->object, name);
    if (json_is_string(value))
        json_append_decoded(text, value);
    else
        fields_refuse(fields, name, "a string");
}

/// Decodes a string behind what `text` holds; false if it is none or holds NUL.
static bool append_without_nul(struct buffer *text, struct slice value) {
    size_t const begin = text->size;
    if (!json_is_string(value))
        return false;
    json_append_decoded(text, value);
    return memchr(text->bytes + begin, '\0', text->size - begin) == NULL;
}

char *fields_c_string(struct fields const *fields, struct slice name, char const *wanted) {
    struct buffer text = {0};
    if (append_without_nul(&text, json_member(fields->object, name)))
        return text.bytes;
    buffer_free(&text);
    fields_refuse(fields, name, wanted);
    return NULL;
}

char **fields_argv(struct fields const *fields, struct slice name) {
    static char const WANTED[] = "a list of strings, at least one";
    struct slice const value = json_member(fields->object, name);
    if (!json_is_array(value)) {
        fields_refuse(fields, name, WANTED);
        return NULL;
    }
    struct slice element;
    size_t count = 0;
    for (struct json_items items = json_items(value); json_next_element(&items, &element);)
        ++count;
    char **const list = allocate(count + 1, sizeof *list);
    size_t index = 0;
    for (struct json_items items = json_items(value); json_next_element(&items, &element); ++index) {
        struct buffer text = {0};
        bool const usable = append_without_nul(&text, element);
        list[index] = text.bytes;
        if (!usable)
            fields_refuse(fields, name, WANTED);
    }
    if (count == 0)
        fields_refuse(fields, name, WANTED);
    return list;
}

char **fields_environment(struct fields const *fields, struct slice name) {
    static char const WANTED[] = "an object of strings, fit for an environment";
    struct slice const value = json_member(fields->object, name);
    if (!json_is_object(value)) {
        fields_refuse(fields, name, WANTED);
        return NULL;
    }
    struct slice inner_name, inner;
    size_t count = 0;
    for (struct json_items items = json_items(value); json_next_member(&items, &inner_name, &inner);)
        ++count;
    char **const list = allocate(count + 1, sizeof *list);
    size_t index = 0;
    for (struct json_items items = json_items(value); json_next_member(&items, &inner_name, &inner);
         ++index) {
        struct buffer text = {0};
        bool usable = append_without_nul(&text, inner_name);
        usable = usable && text.size > 0 && memchr(text.bytes, '=', text.size) == NULL;
        buffer_append_char(&text, '=');
        usable = append_without_nul(&text, inner) && usable;
        list[index] = text.bytes;
        if (!usable)
            fields_refuse(fields, name, WANTED);
    }
    return list;
}

struct slice fields_object(struct fields const *fields, struct slice name) {
    struct slice const value = json_member(fields->object, name);
    if (json_is_object(value))
        return value;
    fields_refuse(fields, name, "an object");
    return (struct slice){0};
}

struct fields fields_inner(struct fields const *fields, struct slice name, struct slice prefix) {
    return (struct fields){fields->where, prefix, fields_object(fields, name), fields->problem};
}

int64_t fields_integer(struct fields const *fields, struct slice name, int64_t least) {
    struct slice const value = json_member(fields->object, name);
    if (json_is_integer(value)) {
        // Beyond its bounds it is the nearest that fits.
        int64_t const number = strtoll(value.bytes, NULL, 10);
        if (number >= least)
            return number;
    }
    fields_refuse(fields, name, least == 0 ? "an integer of at least 0" : "an integer of at least 1");
    return 0;
}

int64_t fields_nanoseconds(struct fields const *fields, struct slice name) {
    struct slice const value = json_member(fields->object, name);
    if (value.size == 0)
        return 0;
    if (json_is_integer(value)) {
        errno = 0;
        int64_t const number = strtoll(value.bytes, NULL, 10);
        if (number >= 0 && errno != ERANGE)
            return number;
    }
    fields_refuse(fields, name, "an integer of at least 0 and below 2^63, or left out");
    return 0;
}

double fields_number(struct fields const *fields, struct slice name, bool zero_too) {
    struct slice const value = json_member(fields->object, name);
    double const number = json_is_number(value) ? strtod(value.bytes, NULL) : -1;
    if (isfinite(number) && (number > 0 || (number == 0 && zero_too)))
        return number;
    fields_refuse(fields, name, zero_too ? "a number of at least 0" : "a number above 0");
    return 0;
}

void free_list(char **list) {
    for (char **text = list; list != NULL && *text != NULL; ++text)
        free(*text);
    free(list);
}
