#include "sse.h"

static bool is_no_line_end(char c) {
    return c != '\n' && c != '\r';
}

/// Takes what stands before the data of a data line; false if it is another line.
static bool take_field(struct slice *line) {
    if (!take(line, SLICE("data")) || (line->size > 0 && !take(line, SLICE(":"))))
        return false;
    take(line, SLICE(" "));
    return true;
}

static void add_data(struct event_stream *stream, struct slice data) {
    buffer_append(&stream->data, data);
    buffer_append_char(&stream->data, '\n');
}

bool event_stream_next(struct event_stream *stream, struct slice *input, struct slice *data) {
    if (stream->is_dispatched) {
        stream->is_dispatched = false;
        buffer_clear(&stream->data);
    }
    // A first line of data that is not cut: mostly the event is over then, and nothing need be copied.
    struct slice first = {0};
    while (input->size > 0) {
        if (stream->is_after_cr) {
            stream->is_after_cr = false;
            if (take(input, SLICE("\n")))
                continue;
        }
        struct slice line = *input;
        line.size = take_while(input, is_no_line_end);
        bool const is_cut = input->size == 0 || stream->line.size > 0;
        if (is_cut)
            buffer_append(&stream->line, line);
        if (input->size == 0)
            break;
        if (is_cut)
            line = buffer_slice(&stream->line);
        buffer_clear(&stream->line);
        stream->is_after_cr = input->bytes[0] == '\r';
        *input = slice_after(*input, 1);
        if (!stream->is_past_start)
            take(&line, SLICE("\xEF\xBB\xBF"));
        stream->is_past_start = true;
        if (line.size == 0 && first.bytes != NULL) {
            *data = first;
            return true;
        }
        if (line.size == 0 && stream->data.size > 0) {
            stream->is_dispatched = true;
            *data = slice_first(buffer_slice(&stream->data), stream->data.size - 1);
            return true;
        }
        if (!take_field(&line))
            continue;
        if (first.bytes == NULL && stream->data.size == 0 && !is_cut) {
            first = line;
            continue;
        }
        if (first.bytes != NULL)
            add_data(stream, first);
        first = (struct slice){0};
        add_data(stream, line);
    }
    if (first.bytes != NULL)
        add_data(stream, first);
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
