#include "completion.h"

#include "canonical.h"
#include "json.h"
#include "utf8.h"

static void append_message_of(struct slice error, struct buffer *reason) {
    struct slice const message = json_member(error, SLICE("message"));
    if (json_is_string(message))
        json_append_decoded(reason, message);
    else if (json_is_string(error))
        json_append_decoded(reason, error);
    else
        append_canonical(reason, error);
}

/// Line ends within JSON are white space between its tokens.
static void copy_in_one_line(struct buffer *copy, struct slice value) {
    buffer_clear(copy);
    buffer_append(copy, value);
    for (size_t i = 0; i < copy->size; ++i)
        if (copy->bytes[i] == '\n' || copy->bytes[i] == '\r')
            copy->bytes[i] = ' ';
    buffer_fit(copy);
}

static void add_choice(struct completion *completion, struct slice choice) {
    struct slice of_choice[2];
    json_members(choice, (struct slice const[]){SLICE("delta"), SLICE("finish_reason")}, of_choice, 2);
    struct slice const content = json_member(of_choice[0], SLICE("content"));
    struct slice const finish_reason = of_choice[1];
    if (json_is_string(content) && !json_is_empty_string(content))
        json_append_decoded(&completion->text, content);
    if (json_is_string(finish_reason) && !json_is_empty_string(finish_reason))
        json_append_decoded(&completion->finish_reason, finish_reason);
}

/// Reads a chunk; what is not UTF-8 in it is replaced in `decoded`.
static bool read_chunk(struct slice data, struct buffer *decoded, struct slice *chunk) {
    if (json_read(data, chunk))
        return json_is_object(*chunk);
    utf8_append(decoded, data);
    return json_read(buffer_slice(decoded), chunk) && json_is_object(*chunk);
}

static enum chunk_result add_chunk(struct completion *completion, struct slice data, struct buffer *decoded,
                                   struct buffer *reason) {
    struct slice chunk, choice;
    if (!read_chunk(data, decoded, &chunk)) {
        buffer_append(reason, SLICE("the stream holds something that is no JSON object: "));
        buffer_append(reason, data);
        return CHUNK_MALFORMED;
    }
    struct slice of_chunk[3];
    json_members(chunk, (struct slice const[]){SLICE("error"), SLICE("usage"), SLICE("choices")}, of_chunk,
                 3);
    struct slice const error = of_chunk[0], usage = of_chunk[1], choices = of_chunk[2];
    if (error.size > 0 && !json_is_null(error)) {
        buffer_append(reason, SLICE("the endpoint reports in the stream: "));
        append_message_of(error, reason);
        return CHUNK_ERROR;
    }
    if (json_is_object(usage) && json_is_finite(usage, true))
        copy_in_one_line(&completion->usage, usage);
    if (completion_is_finished(completion) || !json_is_array(choices))
        return CHUNK_TAKEN;
    struct json_items items = json_items(choices);
    if (json_next_element(&items, &choice))
        add_choice(completion, choice);
    return CHUNK_TAKEN;
}

enum chunk_result completion_add(struct completion *completion, struct slice data, struct buffer *reason) {
    data = stripped(data);
    if (completion->is_ended || data.size == 0)
        return CHUNK_TAKEN;
    if (slice_equals(data, SLICE("[DONE]"))) {
        completion->is_ended = true;
        return CHUNK_TAKEN;
    }
    size_t const reason_size = reason->size;
    struct buffer decoded = {0};
    enum chunk_result result = add_chunk(completion, data, &decoded, reason);
    buffer_free(&decoded);
    if (result != CHUNK_TAKEN && completion_is_finished(completion)) {
        completion->is_ended = true;
        reason->size = reason_size;
        result = CHUNK_TAKEN;
    }
    return result;
}

bool completion_is_finished(struct completion const *completion) {
    return completion->finish_reason.size > 0;
}

void completion_free(struct completion *completion) {
    buffer_free(&completion->text);
    buffer_free(&completion->finish_reason);
    buffer_free(&completion->usage);
    *completion = (struct completion){0};
}
