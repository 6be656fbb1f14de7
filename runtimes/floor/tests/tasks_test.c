// The tasks file: when a task may begin, and what is no such time.

#include "tasks.h"

#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "file.h"

/// Opens a tasks file of one task that has these further fields, and takes it; the line in `problem` is
/// empty if the file can be used.
static int64_t start_of_task(char const *further, struct buffer *problem) {
    int const file = memfd_create("tasks", MFD_CLOEXEC);
    struct buffer line = {0}, path = {0};
    buffer_format(&line, "{\"task_id\":\"t\",\"prompt\":\"p\",\"tests\":\"t\",\"entry_point\":\"f\"%s}\n",
                  further);
    buffer_format(&path, "/proc/self/fd/%d", file);
    CHECK(file_write_all(file, buffer_slice(&line)));
    struct tasks tasks;
    struct task_place place;
    int64_t start = 0;
    if (tasks_open(&tasks, path.bytes, problem) > 0 && tasks_next(&tasks, &place))
        start = tasks_load(&tasks, place)->start_after_ns;
    close(tasks.file);
    close(file);
    buffer_free(&line);
    buffer_free(&path);
    return start;
}

static void check_start(char const *further, int64_t expected) {
    struct buffer problem = {0};
    name_case("start", slice_of(further));
    CHECK(start_of_task(further, &problem) == expected);
    CHECK_TEXT(buffer_slice(&problem), SLICE(""));
    buffer_free(&problem);
}

static void check_refused(char const *start) {
    struct buffer further = {0}, expected = {0}, problem = {0};
    name_case("start", slice_of(start));
    buffer_format(&further, ",\"start_after_ns\":%s", start);
    buffer_format(&expected,
                  ", line 1: start_after_ns is %s; it must be an integer of at least 0 and below 2^63, or "
                  "left out",
                  start);
    start_of_task(further.bytes, &problem);
    struct slice const said = buffer_slice(&problem);
    size_t const line = slice_find(said, SLICE(", line"));
    CHECK_TEXT(slice_after(said, line == NOT_FOUND ? 0 : line), buffer_slice(&expected));
    buffer_free(&further);
    buffer_free(&expected);
    buffer_free(&problem);
}

void test_tasks(void) {
    check_start("", 0);
    check_start(",\"start_after_ns\":0", 0);
    check_start(",\"start_after_ns\":1500000000", 1500000000);
    check_start(",\"start_after_ns\":9223372036854775807", INT64_MAX);
    char const *const refused[] = {"-1",   "1.5",   "1.0", "1e3", "9223372036854775808", "1e300", "\"1\"",
                                   "null", "false", "[]",  "{}"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i)
        check_refused(refused[i]);
}
