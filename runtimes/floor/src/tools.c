#include "tools.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "canonical.h"
#include "file.h"
#include "utf8.h"
#include "workspace.h"

enum {
    FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    // Without O_NONBLOCK, opening a named pipe would wait for someone to write to it.
    EXISTING_FILE = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
};

static bool refuse(struct slice path, char const *why, struct buffer *problem) {
    buffer_append_char(problem, '\'');
    buffer_append(problem, path);
    buffer_append(problem, SLICE("': "));
    buffer_append(problem, slice_of(why));
    return false;
}

static bool refuse_by_errno(struct slice path, struct buffer *problem) {
    bool const is_link = errno == ELOOP || errno == ENOTDIR;
    return refuse(path,
                  is_link ? "goes through a symbolic link or something that is no folder" : strerror(errno),
                  problem);
}

static bool is_no_slash(char c) {
    return c != '/';
}

/// Takes the next name of a path into `name`; false at its end. Names that say nothing are passed over.
static bool take_name(struct slice *path, char name[NAME_MAX + 1]) {
    struct slice part;
    do {
        take(path, SLICE("/"));
        part = *path;
        part.size = take_while(path, is_no_slash);
    } while (path->size > 0 && (part.size == 0 || slice_equals(part, SLICE("."))));
    if (part.size == 0 || slice_equals(part, SLICE(".")))
        return false;
    // One that is too long stays so, and the system says it.
    size_t const size = part.size < NAME_MAX ? part.size : NAME_MAX;
    memcpy(name, part.bytes, size);
    name[size] = '\0';
    return true;
}

/// Whether a path can lead out of the workspace, or is none.
static bool leads_out(struct slice path) {
    if (take(&path, SLICE("/")) || (path.size > 0 && memchr(path.bytes, '\0', path.size) != NULL))
        return true;
    while (path.size > 0) {
        struct slice part = path;
        part.size = take_while(&path, is_no_slash);
        if (slice_equals(part, SLICE("..")) || part.size > NAME_MAX)
            return true;
        take(&path, SLICE("/"));
    }
    return false;
}

/// Opens the folder that holds what `path` names, and puts its last name into `name`; -1 where that is
/// refused.
///
/// Goes down one folder at a time, so that one exchanged for a link meanwhile is not followed either.
static int open_parent(struct workspace workspace, struct slice path, bool makes_folders,
                       char name[NAME_MAX + 1], struct buffer *problem) {
    struct slice rest = path;
    char next[NAME_MAX + 1];
    if (leads_out(path) || !take_name(&rest, name)) {
        refuse(path, "is not a path inside the workspace", problem);
        return -1;
    }
    int here = openat(workspace.folder, ".", FOLDER);
    while (here >= 0 && take_name(&rest, next)) {
        int below = -1;
        if (!makes_folders || mkdirat(here, name, 0777) == 0 || errno == EEXIST)
            below = openat(here, name, FOLDER);
        int const error = errno;
        close(here);
        errno = error;
        here = below;
        strcpy(name, next);
    }
    if (here < 0)
        refuse_by_errno(path, problem);
    return here;
}

/// Opens what `path` names; -1 where that is refused.
static int open_in(struct workspace workspace, struct slice path, int flags, struct buffer *problem) {
    char name[NAME_MAX + 1];
    int const parent = open_parent(workspace, path, false, name, problem);
    if (parent < 0)
        return -1;
    int const opened = openat(parent, name, flags);
    if (opened < 0)
        refuse_by_errno(path, problem);
    close(parent);
    return opened;
}

bool tool_write_file(struct workspace workspace, struct slice path, struct slice content,
                     struct buffer *problem) {
    char name[NAME_MAX + 1];
    struct stat status;
    int const parent = open_parent(workspace, path, true, name, problem);
    if (parent < 0)
        return false;
    bool written = false;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode)) {
        refuse(path, "goes through a symbolic link or something that is no folder", problem);
    } else {
        written = file_write_in(parent, name, content);
        if (!written)
            refuse(path, strerror(errno), problem);
    }
    close(parent);
    return written;
}

bool tool_read_file(struct workspace workspace, struct slice path, struct buffer *text,
                    struct buffer *problem) {
    struct buffer content = {0};
    struct stat status;
    int const file = open_in(workspace, path, EXISTING_FILE, problem);
    if (file < 0)
        return false;
    bool is_read = false;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
        refuse(path, "is no file", problem);
    else if (file_read_rest(file, &content))
        is_read = true;
    else
        refuse(path, strerror(errno), problem);
    close(file);
    utf8_append(text, buffer_slice(&content));
    buffer_free(&content);
    return is_read;
}

/// A name or a path as it is, and as it is shown, which is what decides its place.
struct shown {
    struct buffer bytes;
    struct buffer text;
};

struct shown_list {
    struct shown *items;
    size_t count;
    size_t capacity;
};

static void add_shown(struct shown_list *list, struct slice prefix, struct slice name, bool is_folder_name) {
    if (list->count == list->capacity) {
        list->capacity = 2 * list->capacity + 16;
        struct shown *const items = allocate(list->capacity, sizeof *items);
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        free(list->items);
        list->items = items;
    }
    struct shown *const item = &list->items[list->count++];
    buffer_append(&item->bytes, prefix);
    buffer_append(&item->bytes, name);
    if (is_folder_name)
        buffer_append_char(&item->bytes, '/');
    utf8_append(&item->text, buffer_slice(&item->bytes));
}

static void free_shown(struct shown_list *list) {
    for (size_t i = 0; i < list->count; ++i) {
        buffer_free(&list->items[i].bytes);
        buffer_free(&list->items[i].text);
    }
    free(list->items);
}

static int by_text(void const *a, void const *b) {
    struct shown const *const first = a, *const second = b;
    return slice_compare(buffer_slice(&first->text), buffer_slice(&second->text));
}

static void sort_shown(struct shown_list *list) {
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, by_text);
}

/// Adds the entries of a folder, with `prefix` before their names.
static bool add_entries(struct workspace workspace, struct slice path, struct slice prefix,
                        struct shown_list *list, struct buffer *problem) {
    struct buffer names = {0};
    bool const is_workspace = path.size == 0 || slice_equals(path, SLICE("."));
    int const folder =
        is_workspace ? openat(workspace.folder, ".", FOLDER) : open_in(workspace, path, FOLDER, problem);
    if (folder < 0)
        return is_workspace ? refuse_by_errno(path, problem) : false;
    bool const is_listed = folder_names(folder, &names);
    if (!is_listed)
        refuse_by_errno(path, problem);
    for (size_t at = 0; at < names.size; at += strlen(names.bytes + at) + 1)
        add_shown(list, prefix, slice_of(names.bytes + at), is_folder(folder, names.bytes + at));
    close(folder);
    buffer_free(&names);
    return is_listed;
}

bool tool_list_dir(struct workspace workspace, struct slice path, struct buffer *json,
                   struct buffer *problem) {
    struct shown_list list = {0};
    bool const is_listed = add_entries(workspace, path, SLICE(""), &list, problem);
    sort_shown(&list);
    buffer_append_char(json, '[');
    for (size_t i = 0; i < list.count; ++i) {
        if (i > 0)
            buffer_append_char(json, ',');
        append_quoted(json, buffer_slice(&list.items[i].text));
    }
    buffer_append_char(json, ']');
    free_shown(&list);
    return is_listed;
}

/// Appends the lines of a file that hold the text.
static void append_matches(struct slice content, struct slice text, struct slice path, struct buffer *json) {
    struct slice line;
    for (int64_t number = 1; take_line(&content, &line); ++number) {
        bool const is_ended = line.bytes[line.size] == '\n';
        if (is_ended && slice_ends_with(line, SLICE("\r")))
            --line.size;
        if (slice_find(line, text) == NOT_FOUND)
            continue;
        if (json->bytes[json->size - 1] != '[')
            buffer_append_char(json, ',');
        buffer_append(json, SLICE("{\"path\":"));
        append_quoted(json, path);
        buffer_append(json, SLICE(",\"line\":"));
        buffer_append_integer(json, number);
        buffer_append(json, SLICE(",\"text\":"));
        append_quoted(json, line);
        buffer_append_char(json, '}');
    }
}

/// Appends a path without the parts that say nothing, and with a slash behind it.
static void append_prefix(struct slice path, struct buffer *prefix) {
    char name[NAME_MAX + 1];
    while (take_name(&path, name)) {
        buffer_append(prefix, slice_of(name));
        buffer_append_char(prefix, '/');
    }
}

bool tool_search(struct workspace workspace, struct slice text, struct slice path, struct buffer *json,
                 struct buffer *problem) {
    struct shown_list list = {0};
    struct buffer prefix = {0}, content = {0}, unread = {0};
    bool is_found = false;
    append_prefix(path, &prefix);
    is_found = add_entries(workspace, path, buffer_slice(&prefix), &list, problem);
    // Folders are taken apart where they stand, and what they hold is added behind them.
    for (size_t i = 0; i < list.count; ++i) {
        // The list may move.
        struct buffer const here = list.items[i].bytes;
        if (slice_ends_with(buffer_slice(&here), SLICE("/")))
            add_entries(workspace, buffer_slice(&here), buffer_slice(&here), &list, &unread);
    }
    sort_shown(&list);
    buffer_append_char(json, '[');
    for (size_t i = 0; i < list.count; ++i) {
        struct shown const *const item = &list.items[i];
        buffer_clear(&content);
        // Links, and what is no file, cannot be read or is gone, are not searched.
        if (!slice_ends_with(buffer_slice(&item->bytes), SLICE("/")) &&
            tool_read_file(workspace, buffer_slice(&item->bytes), &content, &unread))
            append_matches(buffer_slice(&content), text, buffer_slice(&item->text), json);
    }
    buffer_append_char(json, ']');
    free_shown(&list);
    buffer_free(&prefix);
    buffer_free(&content);
    buffer_free(&unread);
    return is_found;
}
