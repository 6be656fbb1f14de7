#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

int checks_failed;
struct buffer current_case;
static size_t checks;

void name_case(char const *group, struct slice name) {
    buffer_clear(&current_case);
    buffer_format(&current_case, "%s: %.*s", group, (int)name.size, name.bytes);
}

static void fail(char const *file, int line) {
    ++checks_failed;
    fprintf(stderr, "%s:%d: [%s] ", file, line, current_case.bytes == NULL ? "" : current_case.bytes);
}

void check(bool holds, char const *claim, char const *file, int line) {
    ++checks;
    if (holds)
        return;
    fail(file, line);
    fprintf(stderr, "%s does not hold\n", claim);
}

void check_text(struct slice found, struct slice expected, char const *file, int line) {
    ++checks;
    if (slice_equals(found, expected))
        return;
    fail(file, line);
    fprintf(stderr, "found\n  %.*s\nexpected\n  %.*s\n", (int)found.size, found.bytes, (int)expected.size,
            expected.bytes);
}

size_t random_below(size_t bound) {
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % bound);
}

int main(void) {
    // As the program does: what the parent has left open would be counted in children.
    syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
    test_vectors();
    test_json();
    test_http();
    test_transport();
    test_tail();
    test_timers();
    test_tasks();
    test_files();
    test_child();
    test_run();
    buffer_free(&current_case);
    printf("%zu checks, %d failed\n", checks, checks_failed);
    return checks_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
