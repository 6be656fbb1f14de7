#include "sse.h"

static bool is_no_line_end(char c) {
    return c != '\n' && c != '\r';
}

/// Takes in a line; returns whether it ends an event that has data.
static bool add_line(struct event_stream *stream, struct slice line) {
    if (!stream->is_past_start)
        take(&line, SLICE("\xEF\xBB\xBF"));
    stream->is_past_start = true;
    if (line.size == 0)
        return stream->data.size > 0;
    if (!take(&line, SLICE("data")))
        return false;
    if (line.size > 0 && !take(&line, SLICE(":")))
        return false;
    take(&line, SLICE(" "));
    buffer_append(&stream->data, line);
    buffer_append_char(&stream->data, '\n');
    return false;
}

bool event_stream_next(struct event_stream *stream, struct slice *input, struct slice *data) {
    if (stream->is_dispatched) {
        stream->is_dispatched = false;
        buffer_clear(&stream->data);
    }
    while (input->size > 0) {
        if (stream->is_after_cr) {
            stream->is_after_cr = false;
            if (take(input, SLICE("\n")))
                continue;
        }
        struct slice line = *input;
        line.size = take_while(input, is_no_line_end);
        if (input->size == 0 || stream->line.size > 0)
            buffer_append(&stream->line, line);
        if (input->size == 0)
            break;
        if (stream->line.size > 0)
            line = buffer_slice(&stream->line);
        stream->is_after_cr = input->bytes[0] == '\r';
        *input = slice_after(*input, 1);
        stream->is_dispatched = add_line(stream, line);
        buffer_clear(&stream->line);
        if (stream->is_dispatched) {
            *data = slice_first(buffer_slice(&stream->data), stream->data.size - 1);
            return true;
        }
    }
    // Between two packets there is seldom something unfinished, and then nothing need be kept.
    if (stream->line.size == 0)
        buffer_free(&stream->line);
    if (stream->data.size == 0)
        buffer_free(&stream->data);
    return false;
}

void event_stream_free(struct event_stream *stream) {
    buffer_free(&stream->line);
    buffer_free(&stream->data);
    *stream = (struct event_stream){0};
}
