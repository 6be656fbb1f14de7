#ifndef SSE_H
#define SSE_H

#include "buffer.h"

/// The bytes of an event stream, cut anywhere, become the data of its events. All zeros is one at its
/// beginning.
///
/// The types, ids and retry times of events are of no use here and are passed over.
/// Source: the WHATWG HTML standard, "Parsing an event stream", and runtimes/contract/vectors/sse.json.
struct event_stream {
    struct buffer line;  ///< What has arrived of a line.
    struct buffer data;  ///< What has arrived of an event's data, each line of it with its LF.
    bool is_past_start;
    bool is_after_cr;
    bool is_dispatched;
};

/// Takes bytes from `input` until an event is complete; false when it is empty before that.
///
/// The data is there until the next call; it may be empty, and need not be UTF-8.
bool event_stream_next(struct event_stream *stream, struct slice *input, struct slice *data);
void event_stream_free(struct event_stream *stream);

#endif
