#ifndef MESSAGES_H
#define MESSAGES_H

#include "tasks.h"

// The conversation with the model, and the exact bytes that carry it: CONTRACT.md, "One task", and
// runtimes/contract/vectors/messages.json.

/// The texts of prompts.json.
struct prompts {
    struct buffer system;
    struct buffer user;
    struct buffer tests_failed;
    struct buffer timed_out;
    struct buffer no_code;
};

/// False, with a line in `problem`, if the file cannot be used.
bool prompts_load(struct prompts *prompts, char const *path, struct buffer *problem);
struct fields;
void prompts_read(struct prompts *prompts, struct fields const *fields);
void prompts_free(struct prompts *prompts);

/// What stands before and after the messages in every request body.
struct body_frame {
    struct buffer before;
    struct buffer after;
};

/// `request` holds the further fields; its name must be none of `messages`, `model` and `stream`.
void body_frame_make(struct body_frame *frame, struct slice model, struct slice request);
void body_frame_free(struct body_frame *frame);

/// Appends the request body. `turns` is what `append_turn` made of the attempts before.
void append_body(struct buffer *body, struct body_frame const *frame, struct prompts const *prompts,
                 struct task const *task, struct slice turns);
/// Goes on after a reply. `{output}` in `prompt` becomes `output`, unless that is NULL.
void append_turn(struct buffer *turns, struct slice reply, struct slice prompt, struct slice const *output);

#endif
