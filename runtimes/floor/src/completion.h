#ifndef COMPLETION_H
#define COMPLETION_H

#include "buffer.h"

/// What the chunks of a streamed chat completion add up to. All zeros is one at its beginning.
///
/// Source: "The chat completion chunk object" of OpenAI's API reference, and
/// runtimes/contract/vectors/sse.json.
struct completion {
    struct buffer text;
    struct buffer finish_reason;  ///< Empty until the model has finished.
    struct buffer usage;          ///< The endpoint's usage object in one line, or empty.
    bool is_ended;                ///< Nothing that follows counts.
};

enum chunk_result { CHUNK_TAKEN, CHUNK_MALFORMED, CHUNK_ERROR };

/// Takes in the data of one event. What is broken puts its reason into `reason`; but after the finish reason
/// it ends the completion, and is no error.
enum chunk_result completion_add(struct completion *completion, struct slice data, struct buffer *reason);
bool completion_is_finished(struct completion const *completion);
void completion_free(struct completion *completion);

#endif
