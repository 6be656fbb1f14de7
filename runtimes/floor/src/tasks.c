#include "tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fatal.h"
#include "fields.h"
#include "sha256.h"

enum { PIECE_BYTES = 4096 };

static struct buffer text;
static struct task current;

/// Appends up to `size` bytes of the file from `begin` on to `text`; returns how many.
static size_t read_at(struct tasks const *tasks, int64_t begin, size_t size) {
    buffer_reserve(&text, size);
    ssize_t length = 0;
    do
        length = pread(tasks->file, text.bytes + text.size, size, begin);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        fatal("tasks file %s: cannot be read (%s)", tasks->path, strerror(errno));
    text.size += (size_t)length;
    text.bytes[text.size] = '\0';
    return (size_t)length;
}

bool tasks_next(struct tasks *tasks, struct task_place *place) {
    buffer_clear(&text);
    for (size_t begin = 0;; begin = text.size) {
        size_t const length = read_at(tasks, tasks->next + (int64_t)begin, PIECE_BYTES);
        char const *const end = length == 0 ? NULL : memchr(text.bytes + begin, '\n', length);
        if (end == NULL && length > 0)
            continue;
        size_t const size = end == NULL ? text.size : (size_t)(end - text.bytes);
        *place = (struct task_place){tasks->next, size};
        tasks->next += (int64_t)size + (end != NULL);
        // The text behind the last LF is a line, unless there is none.
        return size > 0 || end != NULL;
    }
}

/// Decodes the task that `line` holds; what is wrong with it is put into `problem`.
static void decode(struct slice where, struct slice line, struct buffer *problem) {
    struct fields fields;
    buffer_clear(&current.task_id);
    buffer_clear(&current.prompt);
    buffer_clear(&current.tests);
    buffer_clear(&current.entry_point);
    if (fields_read(&fields, where, line, problem)) {
        fields_text(&fields, SLICE("task_id"), &current.task_id);
        fields_text(&fields, SLICE("prompt"), &current.prompt);
        fields_text(&fields, SLICE("tests"), &current.tests);
        fields_text(&fields, SLICE("entry_point"), &current.entry_point);
        current.start_after_ns = fields_nanoseconds(&fields, SLICE("start_after_ns"));
    }
}

struct task const *tasks_load(struct tasks const *tasks, struct task_place place) {
    struct buffer problem = {0};
    buffer_clear(&text);
    while (text.size < place.size)
        if (read_at(tasks, place.begin + (int64_t)text.size, place.size - text.size) == 0)
            break;
    decode(slice_of(tasks->path), buffer_slice(&text), &problem);
    if (problem.size > 0)
        fatal("tasks file %s; it was changed while the run went on", problem.bytes);
    return &current;
}

static int by_bytes(void const *a, void const *b) {
    return memcmp(a, b, SHA256_BYTES);
}

/// Whether any of the digests is there twice.
static bool holds_twins(struct buffer *digests) {
    size_t const count = digests->size / SHA256_BYTES;
    if (count > 1)
        qsort(digests->bytes, count, SHA256_BYTES, by_bytes);
    for (size_t i = 1; i < count; ++i) {
        char const *const digest = digests->bytes + i * SHA256_BYTES;
        if (memcmp(digest, digest - SHA256_BYTES, SHA256_BYTES) == 0)
            return true;
    }
    return false;
}

/// Goes through all tasks and returns how many there are.
static size_t check(struct tasks *tasks, struct buffer *problem) {
    struct task_place place;
    // Names by their digests: they are short, and of one size.
    struct buffer digests = {0}, where = {0};
    size_t count = 0;
    while (problem->size == 0 && tasks_next(tasks, &place)) {
        unsigned char digest[SHA256_BYTES];
        buffer_clear(&where);
        buffer_format(&where, "tasks file %s, line %zu", tasks->path, ++count);
        text.bytes[place.size] = '\0';
        decode(buffer_slice(&where), slice_first(buffer_slice(&text), place.size), problem);
        sha256(buffer_slice(&current.task_id), digest);
        buffer_append(&digests, (struct slice){(char const *)digest, sizeof digest});
    }
    if (problem->size == 0 && count == 0)
        buffer_format(problem, "tasks file %s: holds no task; write one JSON object a line there",
                      tasks->path);
    if (problem->size == 0 && holds_twins(&digests))
        buffer_format(problem, "tasks file %s: a task_id is there twice; give every task its own",
                      tasks->path);
    buffer_free(&digests);
    buffer_free(&where);
    tasks->next = 0;
    return count;
}

size_t tasks_open(struct tasks *tasks, char const *path, struct buffer *problem) {
    struct stat status;
    *tasks = (struct tasks){path, open(path, O_RDONLY | O_CLOEXEC), 0};
    if (tasks->file < 0)
        buffer_format(problem, "tasks file %s: cannot be read (%s); name a file that is there", path,
                      strerror(errno));
    else if (fstat(tasks->file, &status) != 0 || !S_ISREG(status.st_mode))
        buffer_format(problem, "tasks file %s: is no regular file; name one that is there", path);
    size_t const count = problem->size == 0 ? check(tasks, problem) : 0;
    return problem->size == 0 ? count : 0;
}
