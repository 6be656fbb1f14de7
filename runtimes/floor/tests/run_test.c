// Whole runs of the program, built with the sanitizers, against an endpoint that says the same to everybody.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "canonical.h"
#include "check.h"
#include "file.h"
#include "json.h"
#include "workspace.h"

enum { TASKS = 5 };

static char const PROGRAM[] = "build/floor-sanitized";

static char const PASSING[] = "echo 1 passed in 0.01s";

static char const REPLY[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"```python\\nx = 1\\n```\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"total_tokens\":7}}\n\ndata: "
    "[DONE]\n\n";

static char const BUSY[] =
    "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// What of a run differs from test to test.
struct plan {
    char const *verifier;
    bool is_silent;               ///< The endpoint never answers.
    useconds_t pause_us;          ///< What the endpoint waits between a request's first byte and the rest.
    char const *const *starts;    ///< The tasks' `start_after_ns`, each NULL to leave it out; or NULL.
    int agents;                   ///< 0 for 3.
    struct slice request, tests;  ///< A field of the request, and the tasks' tests.
    double event_idle_s;
    rlim_t file_limit;  ///< How many bytes a file may have; 0 for no limit.
};

/// Reads a request to its end, which is the bracket behind `stream`.
static bool read_request(int connection) {
    static char const END[] = "\"stream\":true}";
    static char request[1 << 16];
    size_t kept = 0;
    for (;;) {
        ssize_t const size = recv(connection, request + kept, sizeof request - kept, 0);
        if (size <= 0)
            return false;
        struct slice const held = {request, kept + (size_t)size};
        if (slice_ends_with(held, SLICE("\"stream\":true}")))
            return true;
        kept = held.size < sizeof END ? held.size : sizeof END;
        memmove(request, request + held.size - kept, kept);
    }
}

/// Answers one connection after the other, in a process of its own; the second one gets `BUSY`.
static pid_t start_endpoint(int *port, struct plan const *plan) {
    int const listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    CHECK(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 100) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    pid_t const endpoint = fork();
    if (endpoint == 0) {
        for (int number = 0;; ++number) {
            int const connection = accept(listener, NULL, NULL);
            char rest[8192];
            if (plan->is_silent)
                continue;
            // It has begun to send, and goes on when there is room.
            if (plan->pause_us > 0 && recv(connection, rest, 1, MSG_PEEK) == 1)
                usleep(plan->pause_us);
            if (read_request(connection))
                send(connection, number == 1 ? BUSY : REPLY, strlen(number == 1 ? BUSY : REPLY),
                     MSG_NOSIGNAL);
            shutdown(connection, SHUT_WR);
            while (recv(connection, rest, sizeof rest, 0) > 0) {
            }
            close(connection);
        }
    }
    close(listener);
    return endpoint;
}

static void write_run(int folder, char const *path, int port, struct plan const *plan) {
    struct buffer text = {0};
    for (int i = 0; i < TASKS; ++i) {
        buffer_format(&text, "{\"task_id\":\"t/%d\",\"prompt\":\"p\",\"entry_point\":\"f\",\"tests\":", i);
        append_quoted(&text, plan->tests);
        if (plan->starts != NULL && plan->starts[i] != NULL)
            buffer_format(&text, ",\"start_after_ns\":%s", plan->starts[i]);
        buffer_append(&text, SLICE("}\n"));
    }
    CHECK(file_write_in(folder, "tasks.jsonl", buffer_slice(&text)));
    buffer_clear(&text);
    buffer_format(&text,
                  "{\"contract_version\":1,\"tasks_file\":\"%s/tasks.jsonl\","
                  "\"prompts_file\":\"../contract/prompts.json\",\"base_url\":\"http://localhost:%d/v1\","
                  "\"model\":\"m\",\"request\":{\"field\":\"%.*s\"},\"agents\":%d,\"max_retries\":1,"
                  "\"verify\":{\"argv\":[\"sh\",\"-c\",\"%s\"],\"env\":{\"PATH\":\"/usr/bin:/bin\"},"
                  "\"timeout_s\":60,\"slots\":2,\"output_limit_bytes\":1000},"
                  "\"timeouts\":{\"connect_s\":60,\"event_idle_s\":%g,\"total_s\":60},"
                  "\"transport\":{\"max_retries\":2,\"base_s\":0,\"cap_s\":0},"
                  "\"workspaces\":\"%s\",\"events\":\"%s/events.jsonl\"}",
                  path, port, (int)plan->request.size, plan->request.bytes,
                  plan->agents > 0 ? plan->agents : 3, plan->verifier,
                  plan->event_idle_s > 0 ? plan->event_idle_s : 60, path, path);
    CHECK(file_write_in(folder, "run.json", buffer_slice(&text)));
    buffer_free(&text);
}

/// Starts the program with its stderr in a file.
static pid_t start_program(char const *run_file, char const *errors, rlim_t file_limit) {
    char *argv[] = {(char *)(uintptr_t)PROGRAM, (char *)(uintptr_t)run_file, NULL};
    char *environment[] = {NULL};
    pid_t program = 0;
    struct rlimit before;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, O_WRONLY | O_CREAT, 0644);
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    struct rlimit const limit = {file_limit > 0 ? file_limit : before.rlim_cur, before.rlim_max};
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(posix_spawn(&program, PROGRAM, &actions, NULL, argv, environment) == 0);
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    posix_spawn_file_actions_destroy(&actions);
    return program;
}

/// How many event lines have a field with that value.
static int count_events(struct slice events, char const *name, char const *value) {
    struct slice line, event;
    int count = 0;
    while (take_line(&events, &line)) {
        CHECK(json_read(line, &event));
        count += slice_equals(json_member(event, slice_of(name)), slice_of(value));
    }
    return count;
}

/// A run of the program in a new folder.
struct trial {
    char path[sizeof "/tmp/floor-test-XXXXXX"];
    int folder;
    pid_t endpoint, program;
    struct buffer events_file, events, errors_file, errors;
};

static struct trial begin_trial(struct plan const *plan) {
    struct trial trial = {.path = "/tmp/floor-test-XXXXXX"};
    CHECK(mkdtemp(trial.path) != NULL);
    int port = 0;
    trial.folder = open(trial.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    trial.endpoint = start_endpoint(&port, plan);
    struct buffer run_file = {0};
    write_run(trial.folder, trial.path, port, plan);
    buffer_format(&run_file, "%s/run.json", trial.path);
    buffer_format(&trial.events_file, "%s/events.jsonl", trial.path);
    buffer_format(&trial.errors_file, "%s/errors", trial.path);
    trial.program = start_program(run_file.bytes, trial.errors_file.bytes, plan->file_limit);
    buffer_free(&run_file);
    return trial;
}

/// Sends SIGTERM once the file of events says that it is time.
static void stop_after(struct trial *trial, char const *event) {
    while (slice_find(buffer_slice(&trial->events), slice_of(event)) == NOT_FOUND) {
        buffer_clear(&trial->events);
        file_read(trial->events_file.bytes, &trial->events);
    }
    kill(trial->program, SIGTERM);
}

/// Waits for the end of the program; then all that it wrote is there.
static void wait_for_end(struct trial *trial, int expected_status) {
    int status = 0;
    waitpid(trial->program, &status, 0);
    kill(trial->endpoint, SIGKILL);
    waitpid(trial->endpoint, NULL, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == expected_status);
    buffer_clear(&trial->events);
    CHECK(file_read(trial->events_file.bytes, &trial->events));
    CHECK(file_read(trial->errors_file.bytes, &trial->errors));
}

/// Waits for the end of a run that nothing broke; returns its events.
static struct slice finish(struct trial *trial, int expected_status) {
    wait_for_end(trial, expected_status);
    CHECK_TEXT(buffer_slice(&trial->errors), SLICE(""));
    struct slice const events = buffer_slice(&trial->events);
    CHECK(count_events(events, "event", "\"run_start\"") == 1);
    CHECK(count_events(events, "event", "\"run_end\"") == 1);
    return events;
}

static void end_trial(struct trial *trial) {
    struct buffer names = {0};
    CHECK(folder_names(trial->folder, &names) &&
          slice_find(buffer_slice(&names), SLICE("attempt-")) == NOT_FOUND);
    buffer_free(&names);
    buffer_free(&trial->events_file);
    buffer_free(&trial->events);
    buffer_free(&trial->errors_file);
    buffer_free(&trial->errors);
    close(trial->folder);
    CHECK(remove_tree(AT_FDCWD, trial->path));
}

static void try_run(char const *verifier, bool is_silent, int expected_status, char const *outcome,
                    int attempts, int retries) {
    name_case("run", slice_of(verifier));
    struct trial trial = begin_trial(&(struct plan){.verifier = verifier, .is_silent = is_silent});
    if (is_silent)
        stop_after(&trial, "run_start");
    struct slice const events = finish(&trial, expected_status);
    int const recorded = count_events(events, "event", "\"attempt\"");
    // Stopped so early, some agents may not have begun.
    CHECK(is_silent ? recorded <= attempts : recorded == attempts);
    CHECK(count_events(events, "outcome", outcome) == TASKS);
    CHECK(count_events(events, "transport_retries", "1") == retries);
    end_trial(&trial);
}

static int64_t integer_of(struct slice event, char const *name) {
    return strtoll(json_member(event, slice_of(name)).bytes, NULL, 10);
}

static void test_starts(void) {
    char const *const starts[TASKS] = {NULL, "100000000", "100000000", "200000000", "200000001"};
    name_case("run", SLICE("starts"));
    struct trial trial = begin_trial(&(struct plan){.verifier = PASSING, .starts = starts});
    struct slice events = finish(&trial, 0), line, event;
    CHECK(count_events(events, "outcome", "\"passed\"") == TASKS);
    CHECK(take_line(&events, &line) && json_read(line, &event));
    int64_t const run_start = integer_of(event, "t");
    while (take_line(&events, &line) && json_read(line, &event)) {
        if (!slice_equals(json_member(event, SLICE("event")), SLICE("\"attempt\"")))
            continue;
        char const *const start = starts[json_member(event, SLICE("task")).bytes[strlen("\"t/")] - '0'];
        CHECK(integer_of(event, "t_begin") - run_start >= (start == NULL ? 0 : strtoll(start, NULL, 10)));
    }
    end_trial(&trial);
}

static void test_interrupted_before_the_start(void) {
    // As late as can be; but the first task is through, and by then all agents have taken one.
    char const *const starts[TASKS] = {NULL, "9223372036854775807", "9223372036854775807",
                                       "9223372036854775807", "9223372036854775807"};
    name_case("run", SLICE("interrupted before the start"));
    struct trial trial = begin_trial(&(struct plan){.verifier = PASSING, .starts = starts});
    stop_after(&trial, "outcome");
    struct slice const events = finish(&trial, 128 + SIGTERM);
    CHECK(count_events(events, "event", "\"attempt\"") == 1);
    CHECK(count_events(events, "outcome", "\"passed\"") == 1);
    CHECK(count_events(events, "attempts", "0") == TASKS - 1);
    CHECK(count_events(events, "reason", "\"interrupted\"") == TASKS - 1);
    end_trial(&trial);
}

static void test_slow_reader(void) {
    struct buffer long_text = {0};
    name_case("run", SLICE("a request that is read slowly does not use up the time for the first event"));
    // More than the kernel holds for a connection.
    for (int i = 0; i < 1 << 23; ++i)
        buffer_append_char(&long_text, 'x');
    struct trial trial = begin_trial(&(struct plan){.verifier = PASSING,
                                                    .request = buffer_slice(&long_text),
                                                    .agents = 1,
                                                    .pause_us = 1000000,
                                                    .event_idle_s = 0.5});
    struct slice const events = finish(&trial, 0);
    CHECK(count_events(events, "outcome", "\"passed\"") == TASKS);
    end_trial(&trial);
    buffer_free(&long_text);
}

static void test_file_limit(void) {
    struct buffer long_text = {0};
    char signal_number[8];
    name_case("run", SLICE("files that may not grow so far"));
    for (int i = 0; i < 100000; ++i)
        buffer_append_char(&long_text, '#');
    struct trial trial = begin_trial(
        &(struct plan){.verifier = PASSING, .tests = buffer_slice(&long_text), .file_limit = 1 << 16});
    struct slice events = finish(&trial, 0);
    CHECK(count_events(events, "outcome", "\"error\"") == TASKS);
    CHECK(count_events(events, "verdict", "\"error\"") == TASKS);
    CHECK(count_events(events, "reason", "\"the solution cannot be written: File too large\"") == 2 * TASKS);
    end_trial(&trial);
    buffer_free(&long_text);

    name_case("run", SLICE("an event file that may not grow"));
    trial = begin_trial(&(struct plan){.verifier = PASSING, .file_limit = 1024});
    wait_for_end(&trial, 1);
    struct slice errors = buffer_slice(&trial.errors), line = {0};
    CHECK(take_line(&errors, &line) && errors.size == 0);
    CHECK(slice_find(line, buffer_slice(&trial.events_file)) != NOT_FOUND &&
          slice_ends_with(line, SLICE("cannot be written (File too large)")));
    end_trial(&trial);

    name_case("run", SLICE("children do not ignore the signal"));
    trial = begin_trial(&(struct plan){.verifier = "kill -XFSZ $$"});
    snprintf(signal_number, sizeof signal_number, "%d", SIGXFSZ);
    events = finish(&trial, 0);
    CHECK(count_events(events, "signal", signal_number) == 2 * TASKS);
    end_trial(&trial);
}

void test_run(void) {
    try_run(PASSING, false, 0, "\"passed\"", TASKS, 1);
    try_run("echo 1 failed in 0.01s; exit 1", false, 0, "\"failed\"", 2 * TASKS, 1);
    try_run("never started", true, 128 + SIGTERM, "\"error\"", 3, 0);
    test_starts();
    test_interrupted_before_the_start();
    test_slow_reader();
    test_file_limit();
}
