#include "run_file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fields.h"
#include "json.h"

enum { CONTRACT_VERSION = 1 };

/// A path of something that is there, made absolute and free of symbolic links.
static char *path_of(struct fields const *fields, struct slice name, char const *wanted) {
    char *const given = fields_c_string(fields, name, wanted);
    char *const real = given == NULL ? NULL : realpath(given, NULL);
    if (given != NULL && real == NULL)
        fields_refuse(fields, name, wanted);
    free(given);
    return real;
}

static char *writable_folder(struct fields const *fields, struct slice name) {
    static char const WANTED[] = "an existing folder that can be written to";
    char *const path = path_of(fields, name, WANTED);
    struct stat status;
    if (path != NULL &&
        (stat(path, &status) != 0 || !S_ISDIR(status.st_mode) || access(path, W_OK | X_OK) != 0))
        fields_refuse(fields, name, WANTED);
    return path;
}

static void read_endpoint(struct fields const *fields, struct endpoint *endpoint) {
    struct buffer base_url = {0};
    fields_text(fields, SLICE("base_url"), &base_url);
    if (!endpoint_read_url(endpoint, buffer_slice(&base_url)))
        fields_refuse_unshown(
            fields, SLICE("base_url"),
            "http://, for this runtime speaks no TLS, a host without a user, and a port and a "
            "path if need be");
    buffer_free(&base_url);
}

static void read_frame(struct fields const *fields, struct body_frame *frame) {
    struct buffer model = {0};
    fields_text(fields, SLICE("model"), &model);
    struct slice const request = fields_object(fields, SLICE("request"));
    if (json_member(request, SLICE("messages")).size > 0 || json_member(request, SLICE("model")).size > 0 ||
        json_member(request, SLICE("stream")).size > 0)
        fields_refuse(fields, SLICE("request"), "an object without messages, model and stream");
    if (request.size > 0 && !json_is_finite(request, false))
        fields_refuse(fields, SLICE("request"), "an object without numbers beyond a double");
    if (fields->problem->size == 0)
        body_frame_make(frame, buffer_slice(&model), request);
    buffer_free(&model);
}

/// Names the program as the file spells it, for the value as a whole may be cut before the name.
static void refuse_program(struct fields const *fields) {
    struct slice program = {0};
    struct json_items items = json_items(json_member(fields->object, SLICE("argv")));
    json_next_element(&items, &program);
    struct buffer wanted = {0};
    buffer_format(&wanted,
                  "a program, by its path or on the PATH of verify.env, and its arguments; there is no %.*s",
                  (int)program.size, program.bytes);
    fields_refuse(fields, SLICE("argv"), wanted.bytes);
    buffer_free(&wanted);
}

static void read_verify(struct fields const *fields, struct run_file *run_file) {
    struct command *const command = &run_file->verify;
    command->argv = fields_argv(fields, SLICE("argv"));
    command->environment = fields_environment(fields, SLICE("env"));
    run_file->verify_timeout_s = fields_number(fields, SLICE("timeout_s"), false);
    run_file->slots = fields_integer(fields, SLICE("slots"), 1);
    command->output_limit = (size_t)fields_integer(fields, SLICE("output_limit_bytes"), 1);
    if (fields->problem->size > 0)
        return;
    command->program = find_program(command->argv[0], command->environment);
    if (command->program == NULL)
        refuse_program(fields);
}

static void read_fields(struct fields const *fields, struct run_file *run_file) {
    if (fields_integer(fields, SLICE("contract_version"), 0) != CONTRACT_VERSION)
        fields_refuse(fields, SLICE("contract_version"), "1, the one that this runtime obeys");
    run_file->tasks_file = fields_c_string(fields, SLICE("tasks_file"), "a path");
    run_file->prompts_file = fields_c_string(fields, SLICE("prompts_file"), "a path");
    read_endpoint(fields, &run_file->endpoint);
    read_frame(fields, &run_file->frame);
    run_file->agents = fields_integer(fields, SLICE("agents"), 1);
    run_file->max_retries = fields_integer(fields, SLICE("max_retries"), 0);
    struct fields const verify = fields_inner(fields, SLICE("verify"), SLICE("verify."));
    read_verify(&verify, run_file);
    struct fields const timeouts = fields_inner(fields, SLICE("timeouts"), SLICE("timeouts."));
    run_file->connect_s = fields_number(&timeouts, SLICE("connect_s"), false);
    run_file->event_idle_s = fields_number(&timeouts, SLICE("event_idle_s"), false);
    run_file->total_s = fields_number(&timeouts, SLICE("total_s"), false);
    struct fields const transport = fields_inner(fields, SLICE("transport"), SLICE("transport."));
    run_file->transport.max_retries = fields_integer(&transport, SLICE("max_retries"), 0);
    run_file->transport.base_s = fields_number(&transport, SLICE("base_s"), true);
    run_file->transport.cap_s = fields_number(&transport, SLICE("cap_s"), true);
    run_file->workspaces = writable_folder(fields, SLICE("workspaces"));
    run_file->events = fields_c_string(fields, SLICE("events"), "a path");
}

bool run_file_load(struct run_file *run_file, char const *path, struct buffer *problem) {
    struct buffer text = {0};
    struct fields fields;
    *run_file = (struct run_file){0};
    if (fields_read_file(&fields, slice_of(path), &text, problem))
        read_fields(&fields, run_file);
    buffer_free(&text);
    return problem->size == 0;
}

void run_file_free(struct run_file *run_file) {
    free(run_file->tasks_file);
    free(run_file->prompts_file);
    free(run_file->workspaces);
    free(run_file->events);
    free(run_file->verify.program);
    free_list(run_file->verify.argv);
    free_list(run_file->verify.environment);
    endpoint_free(&run_file->endpoint);
    body_frame_free(&run_file->frame);
}
