#include "verdict.h"

#include "buffer.h"

char const *const VERDICT_NAMES[] = {"passed",    "failed",  "unproven", "no_summary",
                                     "timed_out", "no_code", "error",    "interrupted"};

/// What a summary of pytest says.
struct summary {
    bool passed;   ///< At least one test passed.
    bool failed;   ///< At least one failed, or could not be run.
    bool unclear;  ///< Something is counted besides what passed, failed or was warned about.
};

static bool is_parameter(char c) {
    return c >= '0' && c <= '?';
}

static bool is_intermediate(char c) {
    return c >= ' ' && c <= '/';
}

static bool take_escape_sequence(struct slice *rest) {
    struct slice ahead = *rest;
    if (!take(&ahead, SLICE("\x1b[")))
        return false;
    take_while(&ahead, is_parameter);
    take_while(&ahead, is_intermediate);
    if (ahead.size == 0 || ahead.bytes[0] < '@' || ahead.bytes[0] > '~')
        return false;
    *rest = slice_after(ahead, 1);
    return true;
}

static void append_without_escape_sequences(struct buffer *text, struct slice line) {
    while (line.size > 0) {
        if (take_escape_sequence(&line))
            continue;
        buffer_append_char(text, line.bytes[0]);
        line = slice_after(line, 1);
    }
}

static bool is_zero(char c) {
    return c == '0';
}

static bool is_equals_sign(char c) {
    return c == '=';
}

static bool is_of_word(char c) {
    return c != ' ' && c != ',';
}

static bool take_count(struct slice *rest, struct summary *summary) {
    static char const *const UNCLEAR[] = {"skipped", "xfailed", "xpassed", "rerun", "reruns", "deselected"};
    bool const has_zeros = take_while(rest, is_zero) > 0;
    bool const is_positive = take_while(rest, is_digit) > 0;
    if ((!has_zeros && !is_positive) || !take(rest, SLICE(" ")))
        return false;
    struct slice name = *rest;
    name.size = take_while(rest, is_of_word);
    if (slice_equals(name, SLICE("passed"))) {
        summary->passed |= is_positive;
        return true;
    }
    if (slice_equals(name, SLICE("failed")) || slice_equals(name, SLICE("error")) ||
        slice_equals(name, SLICE("errors"))) {
        summary->failed |= is_positive;
        summary->unclear |= !is_positive;
        return true;
    }
    for (size_t i = 0; i < sizeof UNCLEAR / sizeof *UNCLEAR; ++i) {
        if (slice_equals(name, slice_of(UNCLEAR[i]))) {
            summary->unclear = true;
            return true;
        }
    }
    return slice_equals(name, SLICE("warning")) || slice_equals(name, SLICE("warnings"));
}

static bool take_counts(struct slice *rest, struct summary *summary) {
    if (take(rest, SLICE("no tests ran")))
        return true;
    do
        if (!take_count(rest, summary))
            return false;
    while (take(rest, SLICE(", ")));
    return true;
}

/// Whether a line is a summary as a whole.
static bool read_summary(struct slice line, struct summary *summary) {
    *summary = (struct summary){0};
    if (take_while(&line, is_equals_sign) > 0 && !take(&line, SLICE(" ")))
        return false;
    if (!take_counts(&line, summary) || !take_duration(&line))
        return false;
    if (take(&line, SLICE(" ")) && take_while(&line, is_equals_sign) == 0)
        return false;
    return line.size == 0;
}

static bool find_last_summary(struct slice output, struct summary *summary) {
    struct buffer text = {0};
    bool is_found = false;
    for (bool at_start = false; !at_start && !is_found;) {
        size_t const line_end = slice_find_last(output, SLICE("\n"));
        at_start = line_end == NOT_FOUND;
        buffer_clear(&text);
        append_without_escape_sequences(&text, slice_after(output, at_start ? 0 : line_end + 1));
        is_found = read_summary(without_trailing_white_space(buffer_slice(&text)), summary);
        output = slice_first(output, at_start ? 0 : line_end);
    }
    buffer_free(&text);
    return is_found;
}

enum verdict judge(struct ending ending, struct slice output) {
    struct summary summary;
    if (ending.timed_out)
        return TIMED_OUT;
    if (!find_last_summary(output, &summary))
        return NO_SUMMARY;
    if (summary.failed)
        return FAILED;
    if (!summary.passed || summary.unclear)
        return UNPROVEN;
    return ending.exited && ending.status == 0 ? PASSED : FAILED;
}
