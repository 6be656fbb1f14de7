#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <netdb.h>

#include "buffer.h"

enum { KEY_SPELLINGS = 3 };

/// Where completions come from, and the head of every request.
struct endpoint {
    struct buffer host;  ///< A name or an address, without brackets.
    char port[6];
    struct buffer request_head;  ///< Up to the value of Content-Length, which comes last.
    struct addrinfo *addresses;  ///< NULL if the host has none; then `lookup_failure` says why.
    char const *lookup_failure;
    /// The API key within JSON with its slashes escaped, within JSON, and as it is; empty without a key.
    struct buffer keys[KEY_SPELLINGS];
};

/// False if it is no base URL that this runtime can use.
bool endpoint_read_url(struct endpoint *endpoint, struct slice base_url);
/// False if the key holds characters that a header may not hold. Empty is no key.
bool endpoint_set_key(struct endpoint *endpoint, struct slice key);
/// Looks the host up, and waits for the answer.
void endpoint_look_up(struct endpoint *endpoint);
/// Appends the head of a request with a body of so many bytes.
void endpoint_append_head(struct endpoint const *endpoint, size_t body_size, struct buffer *request);
/// Appends what the endpoint said as one short line without the key: endpoints are known to quote it.
///
/// Source: runtimes/contract/vectors/reasons.json.
void endpoint_append_presentable(struct endpoint const *endpoint, struct slice said, struct buffer *reason);
void endpoint_free(struct endpoint *endpoint);

/// Stands where a text was cut while it was read, perhaps within the key.
#define CUT "…"

#endif
