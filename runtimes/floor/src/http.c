#include "http.h"

enum {
    LONGEST_LINE = 64 * 1024,
    MOST_LINES = 1000,
    SWITCHING_PROTOCOLS = 101,
    NO_CONTENT = 204,
    NOT_MODIFIED = 304
};

/// Takes a line, without its LF or CRLF, from `input` and what came before; false when it has not ended yet.
static bool take_http_line(struct http_response *response, struct slice *input, struct slice *line) {
    struct slice const before = *input;
    take_line(input, line);
    bool const is_ended = line->size < before.size;
    if (!is_ended || response->line.size > 0) {
        buffer_append(&response->line, *line);
        *line = buffer_slice(&response->line);
    }
    if (is_ended && slice_ends_with(*line, SLICE("\r")))
        --line->size;
    return is_ended;
}

static bool read_status_line(struct http_response *response, struct slice line) {
    bool const is_old = take(&line, SLICE("HTTP/1.0 "));
    if (!is_old && !take(&line, SLICE("HTTP/1.1 ")))
        return false;
    struct slice digits = line;
    digits.size = take_while(&line, is_digit);
    if (digits.size != 3 || (line.size > 0 && line.bytes[0] != ' '))
        return false;
    response->status = (digits.bytes[0] - '0') * 100 + (digits.bytes[1] - '0') * 10 + (digits.bytes[2] - '0');
    response->is_kept_alive = !is_old;
    response->is_chunked = response->has_length = false;
    response->left = 0;
    return response->status >= 100;
}

static int digit_of(char c) {
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : 99;
}

/// Takes a number; false if there is none or it is beyond all bounds.
static bool take_size(struct slice *rest, unsigned base, uint64_t *size) {
    size_t count = 0;
    *size = 0;
    while (count < rest->size && digit_of(rest->bytes[count]) < (int)base) {
        if (*size >> 56 != 0)
            return false;
        *size = *size * base + (unsigned)digit_of(rest->bytes[count++]);
    }
    *rest = slice_after(*rest, count);
    return count > 0;
}

static bool is_between_options(char c) {
    return c == ',' || c == ' ' || c == '\t';
}

static bool is_of_option(char c) {
    return !is_between_options(c);
}

static void read_connection_options(struct http_response *response, struct slice value) {
    while (value.size > 0) {
        take_while(&value, is_between_options);
        struct slice option = value;
        option.size = take_while(&value, is_of_option);
        if (slice_equals_in_any_case(option, SLICE("close")))
            response->is_kept_alive = false;
        else if (slice_equals_in_any_case(option, SLICE("keep-alive")))
            response->is_kept_alive = true;
    }
}

/// Takes note of what a header says about the framing; false if it makes no sense.
static bool heed_header(struct http_response *response, struct http_header header) {
    if (slice_equals_in_any_case(header.name, SLICE("transfer-encoding"))) {
        response->is_chunked = slice_equals_in_any_case(header.text, SLICE("chunked"));
        return response->is_chunked || slice_equals_in_any_case(header.text, SLICE("identity"));
    }
    if (slice_equals_in_any_case(header.name, SLICE("content-length"))) {
        uint64_t length = 0;
        struct slice rest = header.text;
        bool const is_number = take_size(&rest, 10, &length) && rest.size == 0;
        bool const is_other = response->has_length && response->left != length;
        response->has_length = true;
        response->left = length;
        return is_number && !is_other;
    }
    if (slice_equals_in_any_case(header.name, SLICE("connection")))
        read_connection_options(response, header.text);
    return true;
}

static bool read_header_line(struct http_response *response, struct slice line, struct http_header *header) {
    size_t const colon = slice_find(line, SLICE(":"));
    if (colon == NOT_FOUND || colon == 0)
        return false;
    header->name = slice_first(line, colon);
    header->text = stripped(slice_after(line, colon + 1));
    return heed_header(response, *header);
}

/// The state that the end of a head leads to.
static int after_head(struct http_response const *response) {
    if (response->status == NO_CONTENT || response->status == NOT_MODIFIED)
        return HTTP_OVER;
    if (response->is_chunked)
        return HTTP_CHUNK_SIZE_LINE;
    if (response->has_length)
        return response->left > 0 ? HTTP_BODY_OF_LENGTH : HTTP_OVER;
    return HTTP_BODY_UNTIL_CLOSE;
}

/// Takes in one line; HTTP_MORE when there is nothing to say about it.
static enum http_event add_line(struct http_response *response, struct slice line,
                                struct http_header *header) {
    if (response->state == HTTP_STATUS_LINE) {
        response->state = HTTP_HEADER_LINE;
        response->lines = 0;
        return read_status_line(response, line) ? HTTP_MORE : HTTP_BROKEN;
    }
    bool const is_of_head = response->state == HTTP_HEADER_LINE || response->state == HTTP_TRAILER_LINE;
    if (is_of_head && ++response->lines > MOST_LINES)
        return HTTP_BROKEN;
    bool const is_interim = response->status < 200 && response->status != SWITCHING_PROTOCOLS;
    switch (response->state) {
        case HTTP_HEADER_LINE:
            if (line.size > 0) {
                if (!read_header_line(response, line, header))
                    return HTTP_BROKEN;
                return is_interim ? HTTP_MORE : HTTP_HEADER;
            }
            response->state = is_interim ? HTTP_STATUS_LINE : after_head(response);
            return is_interim ? HTTP_MORE : HTTP_HEAD;
        case HTTP_CHUNK_SIZE_LINE:
            if (!take_size(&line, 16, &response->left))
                return HTTP_BROKEN;
            line = stripped(line);
            response->state = response->left > 0 ? HTTP_CHUNK_DATA : HTTP_TRAILER_LINE;
            return line.size == 0 || line.bytes[0] == ';' ? HTTP_MORE : HTTP_BROKEN;
        case HTTP_CHUNK_END_LINE:
            response->state = HTTP_CHUNK_SIZE_LINE;
            return line.size == 0 ? HTTP_MORE : HTTP_BROKEN;
        default:
            if (line.size == 0)
                response->state = HTTP_OVER;
            return HTTP_MORE;
    }
}

/// Takes a piece of the body.
static enum http_event take_body(struct http_response *response, struct slice *input,
                                 struct http_header *header) {
    size_t size = input->size;
    if (response->state != HTTP_BODY_UNTIL_CLOSE) {
        size = response->left < size ? (size_t)response->left : size;
        response->left -= size;
        if (response->left == 0)
            response->state = response->state == HTTP_CHUNK_DATA ? HTTP_CHUNK_END_LINE : HTTP_OVER;
    }
    header->text = slice_first(*input, size);
    *input = slice_after(*input, size);
    return HTTP_BODY;
}

enum http_event http_next(struct http_response *response, struct slice *input, struct http_header *header) {
    for (;;) {
        if (response->state == HTTP_OVER)
            return HTTP_END;
        if (input->size == 0)
            return HTTP_MORE;
        if (response->state == HTTP_CHUNK_DATA || response->state == HTTP_BODY_OF_LENGTH ||
            response->state == HTTP_BODY_UNTIL_CLOSE)
            return take_body(response, input, header);
        struct slice line;
        bool const is_ended = take_http_line(response, input, &line);
        if (line.size > LONGEST_LINE)
            return HTTP_BROKEN;
        if (!is_ended)
            return HTTP_MORE;
        enum http_event const event = add_line(response, line, header);
        // Its bytes stay where they are until the next line is cut.
        buffer_clear(&response->line);
        if (event == HTTP_HEAD)
            buffer_free(&response->line);
        if (event != HTTP_MORE)
            return event;
    }
}

bool http_is_complete_at_close(struct http_response const *response) {
    return response->state == HTTP_OVER || response->state == HTTP_BODY_UNTIL_CLOSE;
}

void http_free(struct http_response *response) {
    buffer_free(&response->line);
    *response = (struct http_response){0};
}
