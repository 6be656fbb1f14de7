// Whole runs of the program, built with the sanitizers, against an endpoint that says the same to everybody.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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

/// Answers one connection after the other, in a process of its own; the second one gets `BUSY`.
static pid_t start_endpoint(int *port, bool is_silent) {
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
            char request[8192];
            if (is_silent)
                continue;
            if (recv(connection, request, sizeof request, 0) > 0)
                send(connection, number == 1 ? BUSY : REPLY, strlen(number == 1 ? BUSY : REPLY),
                     MSG_NOSIGNAL);
            shutdown(connection, SHUT_WR);
            while (recv(connection, request, sizeof request, 0) > 0) {
            }
            close(connection);
        }
    }
    close(listener);
    return endpoint;
}

/// `starts` are the tasks' `start_after_ns`; NULL leaves it out.
static void write_run(int folder, char const *path, int port, char const *verifier,
                      char const *const starts[TASKS]) {
    struct buffer text = {0};
    for (int i = 0; i < TASKS; ++i) {
        buffer_format(&text, "{\"task_id\":\"t/%d\",\"prompt\":\"p\",\"tests\":\"t\",\"entry_point\":\"f\"",
                      i);
        if (starts[i] != NULL)
            buffer_format(&text, ",\"start_after_ns\":%s", starts[i]);
        buffer_append(&text, SLICE("}\n"));
    }
    CHECK(file_write_in(folder, "tasks.jsonl", buffer_slice(&text)));
    buffer_clear(&text);
    buffer_format(&text,
                  "{\"contract_version\":1,\"tasks_file\":\"%s/tasks.jsonl\","
                  "\"prompts_file\":\"../contract/prompts.json\",\"base_url\":\"http://localhost:%d/v1\","
                  "\"model\":\"m\",\"request\":{\"temperature\":0.2},\"agents\":3,\"max_retries\":1,"
                  "\"verify\":{\"argv\":[\"sh\",\"-c\",\"%s\"],\"env\":{\"PATH\":\"/usr/bin:/bin\"},"
                  "\"timeout_s\":60,\"slots\":2,\"output_limit_bytes\":1000},"
                  "\"timeouts\":{\"connect_s\":60,\"event_idle_s\":60,\"total_s\":60},"
                  "\"transport\":{\"max_retries\":2,\"base_s\":0,\"cap_s\":0},"
                  "\"workspaces\":\"%s\",\"events\":\"%s/events.jsonl\"}",
                  path, port, verifier, path, path);
    CHECK(file_write_in(folder, "run.json", buffer_slice(&text)));
    buffer_free(&text);
}

static pid_t start_program(char const *run_file) {
    char *argv[] = {(char *)(uintptr_t)PROGRAM, (char *)(uintptr_t)run_file, NULL};
    char *environment[] = {NULL};
    pid_t program = 0;
    CHECK(posix_spawn(&program, PROGRAM, NULL, NULL, argv, environment) == 0);
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
    struct buffer events_file, events;
};

static struct trial begin_trial(char const *verifier, bool is_silent, char const *const starts[TASKS]) {
    struct trial trial = {.path = "/tmp/floor-test-XXXXXX"};
    CHECK(mkdtemp(trial.path) != NULL);
    int port = 0;
    trial.folder = open(trial.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    trial.endpoint = start_endpoint(&port, is_silent);
    struct buffer run_file = {0};
    write_run(trial.folder, trial.path, port, verifier, starts);
    buffer_format(&run_file, "%s/run.json", trial.path);
    buffer_format(&trial.events_file, "%s/events.jsonl", trial.path);
    trial.program = start_program(run_file.bytes);
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

/// Waits for the run's end; then all events are there.
static struct slice finish(struct trial *trial, int expected_status) {
    int status = 0;
    waitpid(trial->program, &status, 0);
    kill(trial->endpoint, SIGKILL);
    waitpid(trial->endpoint, NULL, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == expected_status);
    buffer_clear(&trial->events);
    CHECK(file_read(trial->events_file.bytes, &trial->events));
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
    close(trial->folder);
    CHECK(remove_tree(AT_FDCWD, trial->path));
}

static void try_run(char const *verifier, bool is_silent, int expected_status, char const *outcome,
                    int attempts, int retries) {
    static char const *const NO_STARTS[TASKS];
    name_case("run", slice_of(verifier));
    struct trial trial = begin_trial(verifier, is_silent, NO_STARTS);
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
    struct trial trial = begin_trial(PASSING, false, starts);
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
    struct trial trial = begin_trial(PASSING, false, starts);
    stop_after(&trial, "outcome");
    struct slice const events = finish(&trial, 128 + SIGTERM);
    CHECK(count_events(events, "event", "\"attempt\"") == 1);
    CHECK(count_events(events, "outcome", "\"passed\"") == 1);
    CHECK(count_events(events, "attempts", "0") == TASKS - 1);
    CHECK(count_events(events, "reason", "\"interrupted\"") == TASKS - 1);
    end_trial(&trial);
}

void test_run(void) {
    try_run(PASSING, false, 0, "\"passed\"", TASKS, 1);
    try_run("echo 1 failed in 0.01s; exit 1", false, 0, "\"failed\"", 2 * TASKS, 1);
    try_run("never started", true, 128 + SIGTERM, "\"error\"", 3, 0);
    test_starts();
    test_interrupted_before_the_start();
}
