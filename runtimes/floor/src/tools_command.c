#include "tools_command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "canonical.h"
#include "child.h"
#include "fatal.h"
#include "fields.h"
#include "file.h"
#include "moment.h"
#include "tools.h"
#include "utf8.h"

enum { PIECE_BYTES = 16 * 1024, INVALID_INPUT_STATUS = 2 };

/// The child that runs, which must not outlive this process.
static struct child *running;

static void end_running(void) {
    if (running != NULL)
        child_reap(running);
}

/// Waits until the child has ended or is stopped.
static struct ending finish(struct child *child, double timeout_s) {
    moment const deadline = moment_after(now(), timeout_s);
    struct pollfd watched[3] = {{child->pidfd, POLLIN, 0},
                                {child->outputs[0].read_end, POLLIN, 0},
                                {child->outputs[1].read_end, POLLIN, 0}};
    while (!child->timed_out) {
        moment const left = deadline - now();
        int const wait_ms = left <= 0                     ? 0
                            : left / 1000000 >= INT32_MAX ? INT32_MAX
                                                          : (int)(left / 1000000) + 1;
        poll(watched, 3, wait_ms);
        if (watched[0].revents != 0)
            break;
        for (int i = 0; i < 2; ++i) {
            if (watched[i + 1].revents != 0)
                child_read(&child->outputs[i]);
            // poll passes over descriptors below 0.
            watched[i + 1].fd = child->outputs[i].read_end;
        }
        child->timed_out = now() >= deadline;
    }
    return child_reap(child);
}

static void append_output(struct buffer *json, char const *name, struct child *child, int index) {
    struct buffer text = {0};
    utf8_append(&text, tail_slice(&child->outputs[index].tail));
    buffer_format(json, "\"%s\":", name);
    append_quoted(json, buffer_slice(&text));
    buffer_free(&text);
}

static void append_ending(struct buffer *json, struct child *child, struct ending ending) {
    buffer_append_char(json, '{');
    append_output(json, "stdout", child, 0);
    buffer_append_char(json, ',');
    append_output(json, "stderr", child, 1);
    if (ending.exited)
        buffer_format(json, ",\"exit_code\":%d,\"signal\":null", ending.status);
    else
        buffer_format(json, ",\"exit_code\":null,\"signal\":%d", ending.status);
    buffer_format(json, ",\"timed_out\":%s}", ending.timed_out ? "true" : "false");
}

static bool run_command(char const *folder, struct command const *command, double timeout_s,
                        struct buffer *json, struct buffer *problem) {
    struct child child;
    if (!child_start(&child, command, folder)) {
        buffer_format(problem, "bash cannot be started: %s", strerror(errno));
        return false;
    }
    running = &child;
    struct ending const ending = finish(&child, timeout_s);
    running = NULL;
    append_ending(json, &child, ending);
    child_free(&child);
    return true;
}

static bool bash(char const *folder, struct fields const *call, struct buffer *json, struct buffer *problem) {
    char shell[] = "bash", option[] = "-c";
    char *const line = fields_c_string(call, SLICE("command"), "a command line, without U+0000");
    char *argv[] = {shell, option, line, NULL};
    char **const environment = fields_environment(call, SLICE("env"));
    double const timeout_s = fields_number(call, SLICE("timeout_s"), false);
    size_t const output_limit = (size_t)fields_integer(call, SLICE("output_limit_bytes"), 1);
    char *const program = problem->size > 0 ? NULL : find_program(shell, environment);
    bool is_run = false;
    if (program != NULL) {
        struct command const command = {program, argv, environment, output_limit};
        is_run = run_command(folder, &command, timeout_s, json, problem);
    } else if (problem->size == 0) {
        buffer_append(problem, SLICE("bash is no program that can be found and run; set PATH in env"));
    }
    free(program);
    free(line);
    free_list(environment);
    return is_run;
}

/// Appends what a tool returns; false, with a line in `problem`, where it refuses or fails.
static bool append_result(struct workspace workspace, char const *folder, struct fields const *call,
                          struct buffer *json, struct buffer *problem) {
    struct buffer tool = {0}, path = {0}, text = {0}, content = {0};
    bool is_done = false;
    fields_text(call, SLICE("tool"), &tool);
    struct slice const name = buffer_slice(&tool);
    bool const writes = slice_equals(name, SLICE("write_file")),
               searches = slice_equals(name, SLICE("search"));
    bool const reads = slice_equals(name, SLICE("read_file")), lists = slice_equals(name, SLICE("list_dir"));
    if (writes || searches || reads || lists)
        fields_text(call, SLICE("path"), &path);
    if (writes)
        fields_text(call, SLICE("content"), &text);
    if (searches)
        fields_text(call, SLICE("text"), &text);
    struct slice const where = buffer_slice(&path);
    if (slice_equals(name, SLICE("bash"))) {
        is_done = bash(folder, call, json, problem);
    } else if (!writes && !searches && !reads && !lists) {
        fields_refuse(call, SLICE("tool"), "write_file, read_file, list_dir, search or bash");
    } else if (problem->size > 0) {
        is_done = false;
    } else if (writes) {
        is_done = tool_write_file(workspace, where, buffer_slice(&text), problem);
        buffer_append(json, SLICE("null"));
    } else if (searches) {
        is_done = tool_search(workspace, buffer_slice(&text), where, json, problem);
    } else if (lists) {
        is_done = tool_list_dir(workspace, where, json, problem);
    } else {
        is_done = tool_read_file(workspace, where, &content, problem);
        append_quoted(json, buffer_slice(&content));
    }
    buffer_free(&tool);
    buffer_free(&path);
    buffer_free(&text);
    buffer_free(&content);
    return is_done;
}

/// The lines of an answer's problem are one.
static void append_in_one_line(struct buffer *json, struct slice problem) {
    struct buffer text = {0};
    utf8_append(&text, problem);
    for (size_t i = 0; i < text.size; ++i)
        if ((unsigned char)text.bytes[i] < ' ')
            text.bytes[i] = ' ';
    append_quoted(json, buffer_slice(&text));
    buffer_free(&text);
}

static void answer(struct workspace workspace, char const *folder, struct slice line, struct buffer *json) {
    struct buffer problem = {0};
    struct fields call;
    buffer_clear(json);
    buffer_append(json, SLICE("{\"result\":"));
    if (!fields_read(&call, SLICE("call"), line, &problem) ||
        !append_result(workspace, folder, &call, json, &problem)) {
        buffer_clear(json);
        buffer_append(json, SLICE("{\"error\":"));
        append_in_one_line(json, buffer_slice(&problem));
    }
    buffer_append(json, SLICE("}\n"));
    buffer_free(&problem);
}

/// Reads more calls; false at their end.
static bool read_more(struct buffer *calls) {
    buffer_reserve(calls, PIECE_BYTES);
    ssize_t size = 0;
    do
        size = read(STDIN_FILENO, calls->bytes + calls->size, PIECE_BYTES);
    while (size < 0 && errno == EINTR);
    if (size <= 0)
        return false;
    calls->size += (size_t)size;
    calls->bytes[calls->size] = '\0';
    return true;
}

static void answer_line(struct workspace workspace, char const *folder, struct slice line,
                        struct buffer *json) {
    answer(workspace, folder, line, json);
    if (!file_write_all(STDOUT_FILENO, buffer_slice(json)))
        fatal("the answer cannot be written; read it as long as there are calls");
}

int serve_tools(char const *folder) {
    struct buffer calls = {0}, json = {0};
    char *const real = realpath(folder, NULL);
    struct workspace const workspace = {real == NULL ? -1 : open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (workspace.folder < 0) {
        complain("%s is no folder; name the workspace that the tools are to work in", folder);
        free(real);
        return INVALID_INPUT_STATUS;
    }
    before_fatal = end_running;
    // Where there is no line end yet is not looked through again.
    for (size_t searched = 0; read_more(&calls);) {
        struct slice rest = buffer_slice(&calls), line;
        for (char *end; (end = memchr(rest.bytes + searched, '\n', rest.size - searched)) != NULL;
             searched = 0) {
            *end = '\0';
            line = slice_first(rest, (size_t)(end - rest.bytes));
            rest = slice_after(rest, line.size + 1);
            answer_line(workspace, real, line, &json);
        }
        searched = rest.size;
        if (rest.bytes > calls.bytes)
            memmove(calls.bytes, rest.bytes, rest.size);
        calls.size = rest.size;
    }
    if (calls.size > 0) {
        calls.bytes[calls.size] = '\0';
        answer_line(workspace, real, buffer_slice(&calls), &json);
    }
    buffer_free(&calls);
    buffer_free(&json);
    close(workspace.folder);
    free(real);
    return 0;
}
