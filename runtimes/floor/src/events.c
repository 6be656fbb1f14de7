#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "canonical.h"
#include "fatal.h"
#include "file.h"

static int file = -1;
static char const *file_path;
static struct buffer line;

bool events_create(char const *path) {
    file_path = path;
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    return file >= 0;
}

static void begin(char const *event) {
    buffer_clear(&line);
    buffer_format(&line, "{\"event\":\"%s\"", event);
}

static void add_name(char const *name) {
    buffer_append(&line, SLICE(",\""));
    buffer_append(&line, slice_of(name));
    buffer_append(&line, SLICE("\":"));
}

/// Adds JSON, or null in place of nothing.
static void add(char const *name, struct slice json) {
    add_name(name);
    buffer_append(&line, json.size == 0 ? SLICE("null") : json);
}

static void add_integer(char const *name, int64_t number) {
    add_name(name);
    buffer_append_integer(&line, number);
}

static void add_integer_if(bool is_there, char const *name, int64_t number) {
    if (is_there)
        add_integer(name, number);
    else
        add(name, SLICE("null"));
}

static void add_moment(char const *name, moment time) {
    add_integer_if(time != 0, name, time);
}

static void add_digest(char const *name, bool is_there, unsigned char const digest[SHA256_BYTES]) {
    char json[1 + 2 * SHA256_BYTES + 1];
    json[0] = json[sizeof json - 1] = '"';
    for (size_t i = 0; i < SHA256_BYTES; ++i) {
        json[1 + 2 * i] = "0123456789abcdef"[digest[i] >> 4];
        json[2 + 2 * i] = "0123456789abcdef"[digest[i] & 15];
    }
    add(name, is_there ? (struct slice){json, sizeof json} : SLICE("null"));
}

/// Adds text, or null in place of nothing.
static void add_text(char const *name, struct slice text) {
    if (text.size == 0) {
        add(name, SLICE("null"));
        return;
    }
    add_name(name);
    append_quoted(&line, text);
}

static void emit(void) {
    buffer_append(&line, SLICE("}\n"));
    if (!file_write_all(file, buffer_slice(&line)))
        fatal("events: %s cannot be written (%s)", file_path, strerror(errno));
}

void emit_run_start(moment start) {
    begin("run_start");
    add_integer("t", start);
    add_integer("contract_version", 1);
    add_integer("pid", getpid());
    emit();
}

void emit_attempt(struct attempt const *attempt, struct slice task, struct slice usage, struct slice reason) {
    begin("attempt");
    add("task", task);
    add_integer("attempt", attempt->number);
    add_moment("t_begin", attempt->begin);
    add_moment("t_request", attempt->request);
    add_moment("t_first", attempt->first);
    add_moment("t_last", attempt->last);
    add_moment("t_queue", attempt->queue);
    add_moment("t_spawn", attempt->spawn);
    add_moment("t_started", attempt->started);
    add_moment("t_exit", attempt->exit);
    add_moment("t_end", attempt->end);
    add_integer("transport_retries", attempt->transport_retries);
    add_integer("transport_ns", attempt->transport);
    add_digest("request_sha256", attempt->has_request_digest, attempt->request_digest);
    add_digest("completion_sha256", attempt->has_completion_digest, attempt->completion_digest);
    add("usage", usage);
    add_integer_if(attempt->has_ending && attempt->ending.exited, "exit_code", attempt->ending.status);
    add_integer_if(attempt->has_ending && !attempt->ending.exited, "signal", attempt->ending.status);
    add("timed_out", attempt->has_ending && attempt->ending.timed_out ? SLICE("true") : SLICE("false"));
    add_text("verdict", slice_of(VERDICT_NAMES[attempt->verdict]));
    add_text("reason", reason);
    emit();
}

void emit_task(struct slice task, char const *outcome, int64_t attempts, struct slice reason) {
    begin("task");
    add("task", task);
    add_integer("t", now());
    add_text("outcome", slice_of(outcome));
    add_integer("attempts", attempts);
    add_text("reason", reason);
    emit();
}

void emit_run_end(void) {
    begin("run_end");
    add_integer("t", now());
    emit();
}
