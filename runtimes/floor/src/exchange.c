#include "exchange.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "receive.h"
#include "transport.h"

enum { REFUSAL_LIMIT = 2048 };

void exchange_make(struct exchange *exchange, uint64_t tag) {
    *exchange = (struct exchange){.socket = -1, .tag = tag};
}

void exchange_close(struct exchange *exchange) {
    if (exchange->socket >= 0)
        close(exchange->socket);
    exchange->socket = -1;
    buffer_free(&exchange->unsent);
    http_free(&exchange->response);
}

static bool is_under_way(struct exchange const *exchange) {
    return exchange->state == EXCHANGE_UNDER_WAY || exchange->state == EXCHANGE_FINISHED;
}

static void fail(struct exchange *exchange, char const *reason, struct slice detail) {
    buffer_clear(&exchange->failure);
    buffer_append(&exchange->failure, slice_of(reason));
    if (detail.size > 0) {
        buffer_append(&exchange->failure, SLICE(": "));
        buffer_append(&exchange->failure, detail);
    }
    exchange->state = EXCHANGE_FAILED;
    exchange_close(exchange);
}

static struct slice system_message(int error) {
    return slice_of(strerror(error));
}

// The connection.

/// Asks for the socket's events; the try has failed where the system refuses.
static void watch(struct exchange *exchange, int epoll, int operation, uint32_t events) {
    struct epoll_event wanted = {.events = events, .data.u64 = exchange->tag};
    if (epoll_ctl(epoll, operation, exchange->socket, &wanted) != 0)
        fail(exchange, "the connection cannot be watched", system_message(errno));
}

/// Begins a connection to the address, or to one behind it.
static void connect_to(struct exchange *exchange, struct addrinfo const *address, int epoll) {
    int error = 0;
    for (; address != NULL; address = address->ai_next) {
        exchange->address = address;
        exchange->socket = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        bool const connected =
            exchange->socket >= 0 && connect(exchange->socket, address->ai_addr, address->ai_addrlen) == 0;
        if (connected || (exchange->socket >= 0 && errno == EINPROGRESS)) {
            exchange->state = connected ? EXCHANGE_CONNECTED : EXCHANGE_CONNECTING;
            watch(exchange, epoll, EPOLL_CTL_ADD, connected ? EPOLLIN : EPOLLIN | EPOLLOUT);
            return;
        }
        error = errno;
        exchange_close(exchange);
    }
    fail(exchange, "no connection", system_message(error));
}

/// The socket may be connected now, or never.
static void on_connecting(struct exchange *exchange, int epoll) {
    struct addrinfo const *const address = exchange->address;
    // Asked for again, a connection says how it stands.
    bool const is_there =
        connect(exchange->socket, address->ai_addr, address->ai_addrlen) == 0 || errno == EISCONN;
    int const error = errno;
    if (!is_there && error == EALREADY)
        return;
    if (is_there) {
        exchange->state = EXCHANGE_CONNECTED;
        watch(exchange, epoll, EPOLL_CTL_MOD, EPOLLIN);
        return;
    }
    exchange_close(exchange);
    if (address->ai_next != NULL)
        connect_to(exchange, address->ai_next, epoll);
    else
        fail(exchange, "no connection", system_message(error));
}

/// Whether the endpoint has neither closed the connection nor sent more than its last response.
static bool is_quiet(struct exchange const *exchange) {
    char byte;
    return exchange->socket >= 0 && exchange->response.state == HTTP_OVER &&
           recv(exchange->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void exchange_open(struct exchange *exchange, struct endpoint const *endpoint, int epoll) {
    if (is_quiet(exchange)) {
        exchange->state = EXCHANGE_CONNECTED;
        return;
    }
    exchange_close(exchange);
    if (endpoint->addresses == NULL)
        fail(exchange, "no connection", slice_of(endpoint->lookup_failure));
    else
        connect_to(exchange, endpoint->addresses, epoll);
}

/// Sends as much as there is room for; returns how much, or -1 and the try has failed.
static ssize_t send_some(struct exchange *exchange, struct slice bytes) {
    ssize_t const sent = send(exchange->socket, bytes.bytes, bytes.size, MSG_NOSIGNAL);
    if (sent >= 0)
        return sent;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    fail(exchange, "the connection broke", system_message(errno));
    return -1;
}

void exchange_send(struct exchange *exchange, struct slice request, int epoll) {
    http_free(&exchange->response);
    exchange->state = EXCHANGE_UNDER_WAY;
    ssize_t const sent = send_some(exchange, request);
    exchange->latest = now();
    if (sent < 0 || (size_t)sent == request.size)
        return;
    exchange->sent = 0;
    buffer_append(&exchange->unsent, slice_after(request, (size_t)sent));
    watch(exchange, epoll, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void send_rest(struct exchange *exchange, int epoll) {
    ssize_t const sent = send_some(exchange, slice_after(buffer_slice(&exchange->unsent), exchange->sent));
    if (sent < 0)
        return;
    exchange->sent += (size_t)sent;
    if (exchange->sent < exchange->unsent.size)
        return;
    exchange->latest = now();
    buffer_free(&exchange->unsent);
    watch(exchange, epoll, EPOLL_CTL_MOD, EPOLLIN);
}

// The response.

static void refuse(struct exchange *exchange) {
    int const status = exchange->response.status;
    struct buffer *const said = &exchange->completion.text;
    struct buffer reason = {0};
    buffer_format(&reason, "the endpoint answered %d", status);
    said->size = without_trailing_white_space(buffer_slice(said)).size;
    exchange->is_final = !is_retryable(status);
    fail(exchange, reason.bytes, buffer_slice(said));
    buffer_free(&reason);
}

/// Keeps what the endpoint says to its refusal, as far as there is room.
static void add_to_refusal(struct exchange *exchange, struct slice piece) {
    struct buffer *const said = &exchange->completion.text;
    size_t const room = REFUSAL_LIMIT - said->size;
    buffer_append(said, slice_first(piece, piece.size < room ? piece.size : room));
    if (said->size < REFUSAL_LIMIT)
        return;
    buffer_append(said, SLICE(CUT));
    refuse(exchange);
}

static void on_header(struct exchange *exchange, struct http_header header) {
    if (exchange->response.status != 200) {
        if (slice_equals_in_any_case(header.name, SLICE("retry-after")))
            exchange->retry_after_s = retry_after_s(header.text, time(NULL));
    } else if (slice_equals_in_any_case(header.name, SLICE("content-encoding"))) {
        if (!slice_equals_in_any_case(header.text, SLICE("identity")))
            fail(exchange, "the endpoint sent a compressed stream", header.text);
    } else if (slice_equals_in_any_case(header.name, SLICE("content-type"))) {
        size_t const parameter = slice_find(header.text, SLICE(";"));
        struct slice const type = parameter == NOT_FOUND ? header.text : slice_first(header.text, parameter);
        exchange->is_event_stream = slice_equals_in_any_case(stripped(type), SLICE("text/event-stream"));
        if (!exchange->is_event_stream)
            fail(exchange, "the endpoint sent no event stream but", header.text);
    }
}

static void on_head(struct exchange *exchange) {
    exchange->is_refused = exchange->response.status != 200;
    if (exchange->response.status == 101)
        fail(exchange, "the endpoint switches to another protocol", SLICE(""));
    else if (!exchange->is_refused && !exchange->is_event_stream)
        fail(exchange, "the endpoint sent no event stream but no Content-Type", SLICE(""));
}

static void on_data(struct exchange *exchange, struct slice data) {
    struct completion *const completion = &exchange->completion;
    struct buffer reason = {0};
    exchange->latest = now();
    if (completion_add(completion, data, &reason) != CHUNK_TAKEN)
        fail(exchange, reason.bytes, SLICE(""));
    buffer_free(&reason);
    if (exchange->state == EXCHANGE_FAILED)
        return;
    if (exchange->first == 0 && completion->text.size > 0)
        exchange->first = exchange->latest;
    if (exchange->last == 0 && completion_is_finished(completion)) {
        exchange->last = exchange->latest;
        exchange->state = EXCHANGE_FINISHED;
    }
}

static void on_stream_end(struct exchange *exchange) {
    if (exchange->state == EXCHANGE_FINISHED)
        exchange->state = EXCHANGE_COMPLETE;
    else
        fail(exchange, "the stream ended before a finish_reason", SLICE(""));
}

static void on_body(struct exchange *exchange, struct slice piece) {
    if (exchange->is_refused) {
        add_to_refusal(exchange, piece);
        return;
    }
    struct slice data;
    while (is_under_way(exchange) && event_stream_next(&exchange->events, &piece, &data)) {
        on_data(exchange, data);
        if (exchange->completion.is_ended && is_under_way(exchange))
            on_stream_end(exchange);
    }
}

/// The connection is of no use any more, before or after the end of the response.
static void lose(struct exchange *exchange, char const *reason, struct slice detail) {
    if (exchange->state == EXCHANGE_FINISHED)
        exchange->state = EXCHANGE_COMPLETE;
    else if (exchange->state == EXCHANGE_UNDER_WAY && exchange->is_refused)
        refuse(exchange);
    else if (exchange->state == EXCHANGE_UNDER_WAY)
        fail(exchange, reason, detail);
    exchange_close(exchange);
}

static void on_response_end(struct exchange *exchange, bool is_reusable) {
    if (exchange->is_refused && is_under_way(exchange))
        refuse(exchange);
    else if (is_under_way(exchange))
        on_stream_end(exchange);
    if (!is_reusable || exchange->unsent.size > 0)
        exchange_close(exchange);
}

/// Deals with what has arrived. After the completion the rest of the response is only passed over.
static void take_in(struct exchange *exchange, struct slice input) {
    struct http_header header;
    while (exchange->socket >= 0) {
        switch (http_next(&exchange->response, &input, &header)) {
            case HTTP_MORE:
                return;
            case HTTP_HEADER:
                on_header(exchange, header);
                break;
            case HTTP_HEAD:
                on_head(exchange);
                break;
            case HTTP_BODY:
                if (is_under_way(exchange))
                    on_body(exchange, header.text);
                break;
            case HTTP_END:
                on_response_end(exchange, exchange->response.is_kept_alive && input.size == 0);
                return;
            case HTTP_BROKEN:
                lose(exchange, "the endpoint does not speak HTTP/1.1", SLICE(""));
                return;
        }
    }
}

static void receive(struct exchange *exchange) {
    ssize_t const size = recv(exchange->socket, receive_buffer, sizeof receive_buffer, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size < 0)
        lose(exchange, "the connection broke", system_message(errno));
    else if (exchange->response.state == HTTP_OVER)
        exchange_close(exchange);  // It was idle, and is closed by the endpoint, or has rubbish on it.
    else if (size > 0)
        take_in(exchange, (struct slice){receive_buffer, (size_t)size});
    else if (http_is_complete_at_close(&exchange->response))
        on_response_end(exchange, false);
    else
        lose(exchange, "the endpoint closed the connection", SLICE(""));
}

void exchange_on_ready(struct exchange *exchange, int epoll) {
    if (exchange->socket < 0)
        return;
    if (exchange->state == EXCHANGE_CONNECTING) {
        on_connecting(exchange, epoll);
        return;
    }
    if (exchange->unsent.size > 0)
        send_rest(exchange, epoll);
    if (exchange->socket >= 0)
        receive(exchange);
}

void exchange_expire(struct exchange *exchange, char const *what, double seconds) {
    if (exchange->state == EXCHANGE_FINISHED) {
        exchange->state = EXCHANGE_COMPLETE;
        exchange_close(exchange);
    } else if (exchange->state == EXCHANGE_UNDER_WAY && exchange->is_refused) {
        refuse(exchange);
    } else {
        struct buffer reason = {0};
        buffer_format(&reason, "no %s within %g s", what, seconds);
        fail(exchange, reason.bytes, SLICE(""));
        buffer_free(&reason);
    }
}

void exchange_end(struct exchange *exchange) {
    if (exchange->state != EXCHANGE_COMPLETE)
        exchange_close(exchange);
    event_stream_free(&exchange->events);
    completion_free(&exchange->completion);
    buffer_free(&exchange->failure);
    exchange->is_event_stream = exchange->is_refused = exchange->is_final = false;
    exchange->retry_after_s = 0;
    exchange->first = exchange->last = 0;
    exchange->state = EXCHANGE_IDLE;
}
