#include "endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "canonical.h"
#include "utf8.h"

enum { LARGEST_PORT = 65535, REASON_CHARACTERS = 300 };

/// Stands where a key was.
#define HIDDEN "***"

static bool is_of_address(char c) {
    return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
}

static bool is_of_name(char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
           c == '.';
}

static bool is_of_query(char c) {
    return c > ' ' && c <= '~' && c != '#' && c != '\\';
}

static bool is_of_path(char c) {
    return is_of_query(c) && c != '?';
}

static bool is_ipv6(struct slice address) {
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    if (address.size >= sizeof text)
        return false;
    snprintf(text, sizeof text, "%.*s", (int)address.size, address.bytes);
    return inet_pton(AF_INET6, text, &ignored) == 1;
}

static bool take_host(struct slice *rest, struct slice *host) {
    bool const is_address = take(rest, SLICE("["));
    *host = *rest;
    host->size = take_while(rest, is_address ? is_of_address : is_of_name);
    if (is_address)
        return is_ipv6(*host) && take(rest, SLICE("]"));
    return host->size > 0 && host->bytes[0] != '.' && slice_find(*host, SLICE("..")) == NOT_FOUND;
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
    return atoi(port) >= 1 && atoi(port) <= LARGEST_PORT;
}

/// Takes `http://`, in any case.
static bool take_scheme(struct slice *rest) {
    size_t const size = strlen("http://");
    if (rest->size < size || !slice_equals_in_any_case(slice_first(*rest, size), SLICE("http://")))
        return false;
    *rest = slice_after(*rest, size);
    return true;
}

bool endpoint_read_url(struct endpoint *endpoint, struct slice base_url) {
    if (!take_scheme(&base_url))
        return false;
    struct slice const authority = base_url;
    struct slice host;
    if (!take_host(&base_url, &host) || !take_port(&base_url, endpoint->port))
        return false;
    struct slice path = base_url;
    path.size = take_while(&base_url, is_of_path);
    struct slice const query = base_url;
    if (take(&base_url, SLICE("?")))
        take_while(&base_url, is_of_query);
    if (base_url.size > 0 || (path.size > 0 && path.bytes[0] != '/'))
        return false;
    struct slice const host_header = slice_first(authority, authority.size - path.size - query.size);
    while (slice_ends_with(path, SLICE("/")))
        --path.size;
    buffer_append(&endpoint->host, host);
    buffer_format(&endpoint->request_head, "POST %.*s/chat/completions%.*s HTTP/1.1\r\nHost: %.*s\r\n",
                  (int)path.size, path.bytes, (int)query.size, query.bytes, (int)host_header.size,
                  host_header.bytes);
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
    struct buffer in_json = {0};
    append_escaped(&in_json, key);
    for (size_t i = 0; i < in_json.size; ++i) {
        if (in_json.bytes[i] == '/')
            buffer_append_char(&endpoint->keys[0], '\\');
        buffer_append_char(&endpoint->keys[0], in_json.bytes[i]);
    }
    endpoint->keys[1] = in_json;
    buffer_append(&endpoint->keys[2], key);
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

/// How much of a key, but not all of it, a text ends with.
static size_t beginning_at_end(struct slice key, struct slice text) {
    size_t size = key.size == 0 ? 0 : key.size - 1;
    while (size > 0 && !slice_ends_with(text, slice_first(key, size)))
        --size;
    return size;
}

/// Takes the beginnings of keys out behind which the text was cut.
static void hide_cut_keys(struct buffer const keys[KEY_SPELLINGS], struct buffer *text) {
    struct buffer hidden = {0};
    struct slice rest = buffer_slice(text);
    for (size_t at; (at = slice_find(rest, SLICE(CUT))) != NOT_FOUND;
         rest = slice_after(rest, at + strlen(CUT))) {
        size_t longest = 0;
        for (size_t i = 0; i < KEY_SPELLINGS; ++i) {
            size_t const size = beginning_at_end(buffer_slice(&keys[i]), slice_first(rest, at));
            longest = size > longest ? size : longest;
        }
        buffer_append(&hidden, slice_first(rest, at - longest));
        buffer_append(&hidden, longest > 0 ? SLICE(HIDDEN CUT) : SLICE(CUT));
    }
    buffer_append(&hidden, rest);
    buffer_free(text);
    *text = hidden;
}

/// Takes a character that goes as a space: of U+0000-U+0020, U+007F-U+009F, U+2028 and U+2029.
static bool take_space(struct slice *rest) {
    unsigned char const first = (unsigned char)rest->bytes[0];
    size_t size = first <= ' ' || first == 0x7F;
    if (rest->size >= 2 && first == 0xC2 && (unsigned char)rest->bytes[1] <= 0x9F)
        size = 2;
    if (rest->size >= 3 && (slice_equals(slice_first(*rest, 3), SLICE("\xE2\x80\xA8")) ||
                            slice_equals(slice_first(*rest, 3), SLICE("\xE2\x80\xA9"))))
        size = 3;
    *rest = slice_after(*rest, size);
    return size > 0;
}

/// Joins spaces, and removes them at the ends.
static void join_spaces(struct buffer *text) {
    struct slice rest = buffer_slice(text);
    size_t size = 0;
    bool is_after_space = false;
    while (rest.size > 0) {
        if (take_space(&rest)) {
            is_after_space = size > 0;
            continue;
        }
        if (is_after_space)
            text->bytes[size++] = ' ';
        text->bytes[size++] = rest.bytes[0];
        rest = slice_after(rest, 1);
        is_after_space = false;
    }
    text->size = size;
}

static struct slice first_characters(struct slice text, int most) {
    int characters = 0;
    for (size_t i = 0; i < text.size; ++i) {
        characters += ((unsigned char)text.bytes[i] & 0xC0) != 0x80;
        if (characters > most)
            return slice_first(text, i);
    }
    return text;
}

void endpoint_append_presentable(struct endpoint const *endpoint, struct slice said, struct buffer *reason) {
    struct buffer text = {0};
    utf8_append(&text, said);
    // Before anything is cut, so that no part of the key is left.
    for (size_t i = 0; i < KEY_SPELLINGS; ++i)
        if (endpoint->keys[i].size > 0)
            replace_all(&text, buffer_slice(&endpoint->keys[i]), SLICE(HIDDEN));
    hide_cut_keys(endpoint->keys, &text);
    join_spaces(&text);
    buffer_append(reason, first_characters(buffer_slice(&text), REASON_CHARACTERS));
    buffer_free(&text);
}

void endpoint_free(struct endpoint *endpoint) {
    buffer_free(&endpoint->host);
    buffer_free(&endpoint->request_head);
    for (size_t i = 0; i < KEY_SPELLINGS; ++i)
        buffer_free(&endpoint->keys[i]);
    if (endpoint->addresses != NULL)
        freeaddrinfo(endpoint->addresses);
}
