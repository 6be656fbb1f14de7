#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "completion.h"
#include "endpoint.h"
#include "http.h"
#include "moment.h"
#include "sse.h"

/// One try, a request and its response that becomes a completion, on a connection that serves the next try as
/// well.
struct exchange {
    enum exchange_state {
        EXCHANGE_IDLE,        ///< No try is under way.
        EXCHANGE_CONNECTING,  ///< Until the socket can be written to.
        EXCHANGE_CONNECTED,   ///< The request may be sent.
        EXCHANGE_UNDER_WAY,   ///< The request is sent, or the rest of it, and the response is received.
        EXCHANGE_FINISHED,    ///< The finish reason was there; what follows may add usage.
        EXCHANGE_COMPLETE,    ///< The completion is there.
        EXCHANGE_FAILED,      ///< `failure` says why.
    } state;
    int socket;                      ///< -1 if there is no connection.
    struct addrinfo const *address;  ///< The one that is tried.
    uint64_t tag;                    ///< Of the socket's events in the run's epoll.
    struct buffer unsent;            ///< What is left of the request, from `sent` on; else empty.
    size_t sent;
    struct http_response response;
    struct event_stream events;
    struct completion completion;
    bool is_event_stream;
    bool is_refused;  ///< The status is not 200, and the completion's text what the endpoint says to that.
    bool is_final;    ///< After the failure another try is of no use.
    double retry_after_s;
    moment first, last;  ///< When the first content and the finish reason arrived, or 0.
    moment latest;       ///< When the latest data event arrived, or before that the request was sent.
    struct buffer failure;
};

void exchange_make(struct exchange *exchange, uint64_t tag);
/// Takes the connection if it is quiet, or begins another: then CONNECTED, CONNECTING or FAILED.
void exchange_open(struct exchange *exchange, struct endpoint const *endpoint, int epoll);
/// Sends a request, which is not needed any more afterwards: then UNDER_WAY or FAILED.
void exchange_send(struct exchange *exchange, struct slice request, int epoll);
/// Goes on, for the socket is ready for something, or was a moment ago.
void exchange_on_ready(struct exchange *exchange, int epoll);
/// A time is over: the try fails, or is complete where it was FINISHED already.
void exchange_expire(struct exchange *exchange, char const *what, double seconds);
/// What has arrived is forgotten. A connection with a response under way is closed unless the completion is
/// there.
void exchange_end(struct exchange *exchange);
void exchange_close(struct exchange *exchange);

#endif
