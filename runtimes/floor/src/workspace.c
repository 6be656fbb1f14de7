#include "workspace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "moment.h"

/// How long a process that nobody could kill may go on writing while its folder is being removed.
static double const PATIENCE_S = 1;

enum { NAME_BYTES = 64 };

/// Names that those in the folder cannot have taken on purpose.
struct unused_names {
    char prefix[NAME_BYTES / 2];
    unsigned count;
};

static int close_and_return(int descriptor, int result) {
    int const error = errno;
    close(descriptor);
    errno = error;
    return result;
}

bool folder_names(int folder, struct buffer *names) {
    // Its own descriptor, because the folder stays open and is read from the start.
    int const again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *const entries = again < 0 ? NULL : fdopendir(again);
    if (entries == NULL)
        return again >= 0 ? close_and_return(again, false) : false;
    struct dirent const *entry;
    for (errno = 0; (entry = readdir(entries)) != NULL; errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            buffer_append(names, (struct slice){entry->d_name, strlen(entry->d_name) + 1});
    int const error = errno;
    closedir(entries);
    errno = error;
    return error == 0;
}

bool is_folder(int parent, char const *name) {
    struct stat status;
    return fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/// Opens a folder for listing, with all permissions for the owner; -1 where the system refuses.
static int open_folder(int parent, char const *name) {
    int const handle = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (handle < 0)
        return -1;
    // This kind of handle needs no permission, and by its name in /proc nothing else can be meant.
    char own_name[NAME_BYTES];
    snprintf(own_name, sizeof own_name, "/proc/self/fd/%d", handle);
    int const folder =
        chmod(own_name, S_IRWXU) == 0 ? open(own_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    return close_and_return(handle, folder);
}

/// Gives a folder to be moved the permissions that it needs for it.
static bool unlock_folder(int parent, char const *name) {
    int const folder = open_folder(parent, name);
    return folder >= 0 && close_and_return(folder, true);
}

static bool remove_inner(int folder, char const *name, int top, struct unused_names *unused) {
    if (!is_folder(folder, name))
        return unlinkat(folder, name, 0) == 0;
    char unused_name[NAME_BYTES];
    snprintf(unused_name, sizeof unused_name, "%s-%u", unused->prefix, unused->count++);
    return unlock_folder(folder, name) && renameat(folder, name, top, unused_name) == 0;
}

/// Calls for each name of a list; what is gone meanwhile is no failure.
#define FOR_EACH_NAME(name, names)                                                              \
    for (char const *name = (names).bytes; name != NULL && name < (names).bytes + (names).size; \
         name += strlen(name) + 1)

/// Removes an entry of the folder `top`; a folder's own folders are moved to `top` instead.
static bool remove_entry(int top, char const *name, struct unused_names *unused) {
    if (!is_folder(top, name))
        return unlinkat(top, name, 0) == 0;
    int const folder = open_folder(top, name);
    if (folder < 0)
        return false;
    struct buffer inner = {0};
    bool removed = folder_names(folder, &inner);
    FOR_EACH_NAME(inner_name, inner)
    removed = removed && (remove_inner(folder, inner_name, top, unused) || errno == ENOENT);
    buffer_free(&inner);
    removed = close_and_return(folder, removed);
    return removed && (unlinkat(top, name, AT_REMOVEDIR) == 0 || errno == ENOTEMPTY);
}

/// Removes what is in the open folder `top` until `name` itself can be removed.
static bool empty_and_remove(int top, int parent, char const *name) {
    struct unused_names unused = {0};
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return false;
    snprintf(unused.prefix, sizeof unused.prefix, "%016llx", (unsigned long long)random);
    struct buffer names = {0};
    moment deadline = NEVER;
    bool going_on = true;
    while (going_on && unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
        going_on = errno == ENOTEMPTY;
        buffer_clear(&names);
        going_on = going_on && folder_names(top, &names);
        bool is_written_to = false;
        FOR_EACH_NAME(entry, names)
        is_written_to |= strncmp(entry, unused.prefix, strlen(unused.prefix)) != 0;
        if (going_on && is_written_to && now() > deadline) {
            errno = ENOTEMPTY;
            going_on = false;
        }
        FOR_EACH_NAME(entry, names)
        going_on = going_on && (remove_entry(top, entry, &unused) || errno == ENOENT);
        moment const patience = moment_after(now(), PATIENCE_S);
        deadline = patience < deadline ? patience : deadline;
    }
    buffer_free(&names);
    return going_on;
}

bool remove_tree(int parent, char const *name) {
    int const top = open_folder(parent, name);
    if (top >= 0)
        return close_and_return(top, empty_and_remove(top, parent, name));
    if (errno == ENOENT)
        return true;
    return (errno == ENOTDIR || errno == ELOOP) && (unlinkat(parent, name, 0) == 0 || errno == ENOENT);
}
