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

static void write_run(int folder, char const *path, int port, char const *verifier) {
    struct buffer text = {0};
    for (int i = 0; i < TASKS; ++i)
        buffer_format(&text,
                      "{\"task_id\":\"t/%d\",\"prompt\":\"p\",\"tests\":\"t\",\"entry_point\":\"f\"}\n", i);
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

static void try_run(char const *verifier, bool is_silent, int expected_status, char const *outcome,
                    int attempts, int retries) {
    char path[] = "/tmp/floor-test-XXXXXX";
    CHECK(mkdtemp(path) != NULL);
    name_case("run", slice_of(verifier));
    int port = 0;
    int const folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pid_t const endpoint = start_endpoint(&port, is_silent);
    struct buffer run_file = {0}, events_file = {0}, events = {0}, names = {0};
    write_run(folder, path, port, verifier);
    buffer_format(&run_file, "%s/run.json", path);
    buffer_format(&events_file, "%s/events.jsonl", path);
    pid_t const program = start_program(run_file.bytes);
    // It is stopped when the file says that it has begun.
    while (is_silent && slice_find(buffer_slice(&events), SLICE("\n")) == NOT_FOUND) {
        buffer_clear(&events);
        file_read(events_file.bytes, &events);
    }
    if (is_silent)
        kill(program, SIGTERM);
    int status = 0;
    waitpid(program, &status, 0);
    kill(endpoint, SIGKILL);
    waitpid(endpoint, NULL, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == expected_status);
    buffer_clear(&events);
    CHECK(file_read(events_file.bytes, &events));
    struct slice const all = buffer_slice(&events);
    CHECK(count_events(all, "event", "\"run_start\"") == 1);
    CHECK(count_events(all, "event", "\"run_end\"") == 1);
    int const recorded = count_events(all, "event", "\"attempt\"");
    // Stopped so early, some agents may not have begun.
    CHECK(is_silent ? recorded <= attempts : recorded == attempts);
    CHECK(count_events(all, "outcome", outcome) == TASKS);
    CHECK(count_events(all, "transport_retries", "1") == retries);
    CHECK(folder_names(folder, &names) && slice_find(buffer_slice(&names), SLICE("attempt-")) == NOT_FOUND);
    buffer_free(&run_file);
    buffer_free(&events_file);
    buffer_free(&events);
    buffer_free(&names);
    close(folder);
    CHECK(remove_tree(AT_FDCWD, path));
}

void test_run(void) {
    try_run("echo 1 passed in 0.01s", false, 0, "\"passed\"", TASKS, 1);
    try_run("echo 1 failed in 0.01s; exit 1", false, 0, "\"failed\"", 2 * TASKS, 1);
    try_run("never started", true, 128 + SIGTERM, "\"error\"", 3, 0);
}
