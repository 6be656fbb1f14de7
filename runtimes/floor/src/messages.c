#include "messages.h"

#include "canonical.h"
#include "fields.h"

struct placeholder {
    struct slice name;
    struct slice value;
};

void prompts_read(struct prompts *prompts, struct fields const *fields) {
    fields_text(fields, SLICE("system"), &prompts->system);
    fields_text(fields, SLICE("user"), &prompts->user);
    fields_text(fields, SLICE("tests_failed"), &prompts->tests_failed);
    fields_text(fields, SLICE("timed_out"), &prompts->timed_out);
    fields_text(fields, SLICE("no_code"), &prompts->no_code);
}

bool prompts_load(struct prompts *prompts, char const *path, struct buffer *problem) {
    struct buffer text = {0};
    struct fields fields;
    if (fields_read_file(&fields, slice_of(path), &text, problem))
        prompts_read(prompts, &fields);
    buffer_free(&text);
    return problem->size == 0;
}

void prompts_free(struct prompts *prompts) {
    buffer_free(&prompts->system);
    buffer_free(&prompts->user);
    buffer_free(&prompts->tests_failed);
    buffer_free(&prompts->timed_out);
    buffer_free(&prompts->no_code);
}

void body_frame_make(struct body_frame *frame, struct slice model, struct slice request) {
    size_t count = 0;
    struct member *const members = sorted_members(request, &count);
    struct buffer *part = &frame->before;
    char separator = '{';
    size_t next = 0;
    // The three fields of every body are in order, and the others go where they belong between them.
    static struct slice const OWN[] = {{"messages", 8}, {"model", 5}, {"stream", 6}, {NULL, 0}};
    for (struct slice const *own = OWN;; ++own) {
        for (; next < count &&
               (own->bytes == NULL || slice_compare(buffer_slice(&members[next].name), *own) < 0);
             ++next) {
            buffer_append_char(part, separator);
            separator = ',';
            append_quoted(part, buffer_slice(&members[next].name));
            buffer_append_char(part, ':');
            append_canonical(part, members[next].value);
        }
        if (own->bytes == NULL)
            break;
        buffer_append_char(part, separator);
        separator = ',';
        append_quoted(part, *own);
        buffer_append_char(part, ':');
        if (own == &OWN[0])
            part = &frame->after;
        else if (own == &OWN[1])
            append_quoted(part, model);
        else
            buffer_append(part, SLICE("true"));
    }
    buffer_append_char(part, '}');
    free_members(members, count);
}

void body_frame_free(struct body_frame *frame) {
    buffer_free(&frame->before);
    buffer_free(&frame->after);
}

/// Appends a text as it is within JSON, with the placeholders replaced; what is put in is not looked at
/// again.
static void append_filled(struct buffer *json, struct slice text, struct placeholder const *placeholders,
                          size_t count) {
    while (text.size > 0) {
        size_t const at = slice_find(text, SLICE("{"));
        append_escaped(json, slice_first(text, at == NOT_FOUND ? text.size : at));
        if (at == NOT_FOUND)
            return;
        text = slice_after(text, at);
        size_t index = 0;
        while (index < count && !take(&text, placeholders[index].name))
            ++index;
        if (index < count) {
            append_escaped(json, placeholders[index].value);
        } else {
            buffer_append_char(json, '{');
            text = slice_after(text, 1);
        }
    }
}

static void append_message(struct buffer *json, char const *role, struct slice text,
                           struct placeholder const *placeholders, size_t count) {
    buffer_append(json, SLICE("{\"content\":\""));
    append_filled(json, text, placeholders, count);
    buffer_format(json, "\",\"role\":\"%s\"}", role);
}

void append_body(struct buffer *body, struct body_frame const *frame, struct prompts const *prompts,
                 struct task const *task, struct slice turns) {
    struct placeholder const placeholders[] = {
        {SLICE("{task_id}"), buffer_slice(&task->task_id)},
        {SLICE("{prompt}"), buffer_slice(&task->prompt)},
        {SLICE("{tests}"), buffer_slice(&task->tests)},
    };
    buffer_append(body, buffer_slice(&frame->before));
    buffer_append_char(body, '[');
    append_message(body, "system", buffer_slice(&prompts->system), placeholders, 3);
    buffer_append_char(body, ',');
    append_message(body, "user", buffer_slice(&prompts->user), placeholders, 3);
    buffer_append(body, turns);
    buffer_append_char(body, ']');
    buffer_append(body, buffer_slice(&frame->after));
}

void append_turn(struct buffer *turns, struct slice reply, struct slice prompt, struct slice const *output) {
    struct placeholder const placeholder = {SLICE("{output}"), output == NULL ? SLICE("") : *output};
    buffer_append_char(turns, ',');
    append_message(turns, "assistant", reply, NULL, 0);
    buffer_append_char(turns, ',');
    append_message(turns, "user", prompt, &placeholder, output != NULL);
    buffer_fit(turns);
}
