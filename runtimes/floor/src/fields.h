#ifndef FIELDS_H
#define FIELDS_H

#include "buffer.h"

/// The fields of one JSON object, asked for by type.
///
/// The first field that is missing or of another type is put into `problem`, a line that says what, where and
/// what to do; the value is then empty or 0. So `problem` need only be looked at once, at the end.
struct fields {
    struct slice where;
    struct slice prefix;
    struct slice object;
    struct buffer *problem;
};

/// Whether a text is one JSON object. The fields are slices of it.
bool fields_read(struct fields *fields, struct slice where, struct slice text, struct buffer *problem);
/// The whole of a file in `text`, and its fields.
bool fields_read_file(struct fields *fields, struct slice path, struct buffer *text, struct buffer *problem);

/// A string.
void fields_text(struct fields const *fields, struct slice name, struct buffer *text);
/// A string without NUL, of the caller's own.
char *fields_c_string(struct fields const *fields, struct slice name, char const *wanted);
/// A list of strings, not empty; the list of the caller's own ends in NULL.
char **fields_argv(struct fields const *fields, struct slice name);
/// An object of strings, as a process's environment; the list of the caller's own ends in NULL.
char **fields_environment(struct fields const *fields, struct slice name);
/// An object.
struct slice fields_object(struct fields const *fields, struct slice name);
/// The fields of an object; their names in problems begin with `prefix`.
struct fields fields_inner(struct fields const *fields, struct slice name, struct slice prefix);
/// An integer; one beyond all bounds is INT64_MAX.
int64_t fields_integer(struct fields const *fields, struct slice name, int64_t least);
/// Nanoseconds, an integer of at least 0 that is not beyond its bounds; 0 if the field is not there.
int64_t fields_nanoseconds(struct fields const *fields, struct slice name);
/// A number above 0, or at least 0 if `zero_too`.
double fields_number(struct fields const *fields, struct slice name, bool zero_too);

/// Puts into `problem` what a field is and what it must be.
void fields_refuse(struct fields const *fields, struct slice name, char const *wanted);
/// The same for a field that may hold a password, so that its value is not shown.
void fields_refuse_unshown(struct fields const *fields, struct slice name, char const *wanted);
void free_list(char **list);

#endif
