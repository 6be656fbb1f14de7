#include "endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "canonical.h"
#include "utf8.h"

enum { LARGEST_PORT = 65535, REASON_CHARACTERS = 300 };

static bool is_of_address(char c) {
    return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
}

static bool is_of_name(char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
           c == '.';
}

static bool is_of_path(char c) {
    return c > ' ' && c <= '~' && c != '#' && c != '?';
}

static bool take_host(struct slice *rest, struct slice *host) {
    bool const is_address = take(rest, SLICE("["));
    *host = *rest;
    host->size = take_while(rest, is_address ? is_of_address : is_of_name);
    if (host->size == 0 || host->bytes[0] == '.' || slice_find(*host, SLICE("..")) != NOT_FOUND)
        return false;
    return !is_address || take(rest, SLICE("]"));
}

static bool take_port(struct slice *rest, char port[6]) {
    if (!take(rest, SLICE(":"))) {
        strcpy(port, "80");
        return true;
    }
    struct slice digits = *rest;
    digits.size = take_while(rest, is_digit);
    if (digits.size == 0 || digits.size > 5)
        return false;
    snprintf(port, 6, "%.*s", (int)digits.size, digits.bytes);
    return atoi(port) <= LARGEST_PORT;
}

bool endpoint_read_url(struct endpoint *endpoint, struct slice base_url) {
    while (slice_ends_with(base_url, SLICE("/")))
        --base_url.size;
    if (!take(&base_url, SLICE("http://")))
        return false;
    struct slice const authority = base_url;
    struct slice host;
    if (!take_host(&base_url, &host) || !take_port(&base_url, endpoint->port))
        return false;
    struct slice path = base_url;
    path.size = take_while(&base_url, is_of_path);
    if (base_url.size > 0 || (path.size > 0 && path.bytes[0] != '/'))
        return false;
    buffer_append(&endpoint->host, host);
    buffer_format(&endpoint->request_head, "POST %.*s/chat/completions HTTP/1.1\r\nHost: %.*s\r\n",
                  (int)path.size, path.bytes, (int)(path.bytes - authority.bytes), authority.bytes);
    buffer_append(&endpoint->request_head,
                  SLICE("Accept: text/event-stream\r\nContent-Type: application/json\r\n"));
    return true;
}

bool endpoint_set_key(struct endpoint *endpoint, struct slice key) {
    for (size_t i = 0; i < key.size; ++i)
        if (key.bytes[i] < ' ' || key.bytes[i] > '~')
            return false;
    if (key.size == 0)
        return true;
    buffer_format(&endpoint->request_head, "Authorization: Bearer %.*s\r\n", (int)key.size, key.bytes);
    buffer_append(&endpoint->keys[0], key);
    append_escaped(&endpoint->keys[1], key);
    return true;
}

void endpoint_look_up(struct endpoint *endpoint) {
    struct addrinfo const wanted = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int const error = getaddrinfo(endpoint->host.bytes, endpoint->port, &wanted, &endpoint->addresses);
    if (error != 0) {
        endpoint->addresses = NULL;
        endpoint->lookup_failure = gai_strerror(error);
    }
}

void endpoint_append_head(struct endpoint const *endpoint, size_t body_size, struct buffer *request) {
    buffer_append(request, buffer_slice(&endpoint->request_head));
    buffer_format(request, "Content-Length: %zu\r\n\r\n", body_size);
}

static void replace_all(struct buffer *text, struct slice what, struct slice with) {
    struct buffer replaced = {0};
    struct slice rest = buffer_slice(text);
    for (size_t at; (at = slice_find(rest, what)) != NOT_FOUND; rest = slice_after(rest, at + what.size)) {
        buffer_append(&replaced, slice_first(rest, at));
        buffer_append(&replaced, with);
    }
    buffer_append(&replaced, rest);
    buffer_free(text);
    *text = replaced;
}

/// Takes a key out, and every part of it behind which the text was cut.
static void hide(struct slice key, struct buffer *text) {
    if (key.size == 0)
        return;
    replace_all(text, key, SLICE("***"));
    struct buffer part = {0};
    for (size_t size = key.size - 1; size > 0; --size) {
        buffer_clear(&part);
        buffer_append(&part, slice_first(key, size));
        buffer_append(&part, SLICE(CUT));
        replace_all(text, buffer_slice(&part), SLICE("***" CUT));
    }
    buffer_free(&part);
}

void endpoint_append_presentable(struct endpoint const *endpoint, struct slice said, struct buffer *reason) {
    struct buffer text = {0};
    utf8_append(&text, said);
    // Before anything is cut, so that no part of the key is left.
    hide(buffer_slice(&endpoint->keys[0]), &text);
    hide(buffer_slice(&endpoint->keys[1]), &text);
    struct slice const shown = stripped(buffer_slice(&text));
    int characters = 0;
    for (size_t i = 0; i < shown.size; ++i) {
        char const c = shown.bytes[i];
        if (is_white_space(c) && is_white_space(shown.bytes[i - 1]))
            continue;
        characters += ((unsigned char)c & 0xC0) != 0x80;
        if (characters > REASON_CHARACTERS)
            break;
        buffer_append_char(reason, (unsigned char)c < ' ' ? ' ' : c);
    }
    buffer_free(&text);
}

void endpoint_free(struct endpoint *endpoint) {
    buffer_free(&endpoint->host);
    buffer_free(&endpoint->request_head);
    buffer_free(&endpoint->keys[0]);
    buffer_free(&endpoint->keys[1]);
    if (endpoint->addresses != NULL)
        freeaddrinfo(endpoint->addresses);
}
