// The HTTP reader: every way to frame a response, cut at every byte.

#include "http.h"

#include "check.h"

/// What a response amounts to: its headers, its body, and how it ended.
static void hear(struct http_response *response, struct slice piece, struct buffer *heard) {
    struct http_header header;
    for (;;) {
        switch (http_next(response, &piece, &header)) {
            case HTTP_MORE:
                return;
            case HTTP_HEADER:
                buffer_format(heard, "%.*s=%.*s|", (int)header.name.size, header.name.bytes,
                              (int)header.text.size, header.text.bytes);
                break;
            case HTTP_HEAD:
                buffer_format(heard, "%d|", response->status);
                break;
            case HTTP_BODY:
                buffer_append(heard, header.text);
                break;
            case HTTP_END:
                buffer_format(heard, "|%s, %zu left", response->is_kept_alive ? "kept" : "closed",
                              piece.size);
                return;
            case HTTP_BROKEN:
                buffer_append(heard, SLICE("|broken"));
                return;
        }
    }
}

/// Hears a response in two pieces; what is left of the second when it is over is counted.
static void check_cut(struct slice bytes, size_t at, struct slice expected) {
    struct http_response response = {0};
    struct buffer heard = {0};
    hear(&response, slice_first(bytes, at), &heard);
    if (response.state != HTTP_OVER && slice_find(buffer_slice(&heard), SLICE("|broken")) == NOT_FOUND)
        hear(&response, slice_after(bytes, at), &heard);
    CHECK_TEXT(buffer_slice(&heard), expected);
    http_free(&response);
    buffer_free(&heard);
}

static void check_response(char const *bytes, char const *expected) {
    name_case("http", slice_of(bytes));
    for (size_t at = 0; at <= slice_of(bytes).size; ++at)
        check_cut(slice_of(bytes), at, slice_of(expected));
}

void test_http(void) {
    check_response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA:  b c \r\n\r\nhi",
                   "Content-Length=2|A=b c|200|hi|kept, 0 left");
    check_response("HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 204\r\n\r\n", "204||kept, 0 left");
    check_response(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0A\r\n0123456789\r\n0\r\nT: "
        "x\r\n\r\n",
        "Transfer-Encoding=chunked|200|hi0123456789|kept, 0 left");
    check_response("HTTP/1.0 200 OK\nContent-Length: 0\n\n", "Content-Length=0|200||closed, 0 left");
    check_response("HTTP/1.1 200 OK\r\nConnection: a, Close\r\nContent-Length: 1\r\n\r\nx",
                   "Connection=a, Close|Content-Length=1|200|x|closed, 0 left");
    check_response("HTTP/1.1 200 OK\r\n\r\nuntil it is closed", "200|until it is closed");
    check_response("HTTP/2 200\r\n\r\n", "|broken");
    check_response("Incorrect\r\n", "|broken");
    check_response("HTTP/1.1 200 OK\r\nno header\r\n", "|broken");
    check_response("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
                   "Content-Length=1||broken");
    check_response("HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n", "|broken");
    check_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
                   "Transfer-Encoding=chunked|200||broken");
    check_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
                   "Transfer-Encoding=chunked|200||broken");
    check_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n", "|broken");
}
