#ifndef HTTP_H
#define HTTP_H

#include "buffer.h"

/// The response of an HTTP/1.1 endpoint, cut anywhere. All zeros is one at its beginning.
///
/// Interim responses, chunk extensions and trailers are passed over. Source: RFC 9112.
struct http_response {
    enum {
        HTTP_STATUS_LINE,
        HTTP_HEADER_LINE,
        HTTP_CHUNK_SIZE_LINE,
        HTTP_CHUNK_DATA,
        HTTP_CHUNK_END_LINE,
        HTTP_TRAILER_LINE,
        HTTP_BODY_OF_LENGTH,
        HTTP_BODY_UNTIL_CLOSE,
        HTTP_OVER,
    } state;
    int status;
    bool is_chunked;
    bool has_length;
    bool is_kept_alive;  ///< Whether the connection may be used again when the response is over.
    unsigned lines;      ///< Of the head or of the trailers, for they have a bound.
    uint64_t left;       ///< Bytes of the body or of the chunk that are still to come.
    struct buffer line;  ///< What has arrived of a line.
};

enum http_event {
    HTTP_MORE,    ///< `input` is empty.
    HTTP_HEADER,  ///< `name` and `text` are there, until the next call.
    HTTP_HEAD,    ///< All headers were there.
    HTTP_BODY,    ///< A piece of the body is in `text`.
    HTTP_END,     ///< The body is complete; what is left of `input` belongs to nothing.
    HTTP_BROKEN,  ///< It is no HTTP/1.1.
};

struct http_header {
    struct slice name;
    struct slice text;
};

/// Takes bytes from `input` until there is something to say.
enum http_event http_next(struct http_response *response, struct slice *input, struct http_header *header);
/// Whether a response whose connection ends here is complete.
bool http_is_complete_at_close(struct http_response const *response);
void http_free(struct http_response *response);

#endif
