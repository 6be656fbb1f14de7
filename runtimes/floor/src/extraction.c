#include "extraction.h"

#include <string.h>

enum { MOST_INDENT = 3, LEAST_FENCE = 3 };

struct fence {
    size_t indent;
    char character;
    size_t length;
    struct slice info;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static bool is_no_blank(char c) {
    return !is_blank(c);
}

static size_t take_up_to(struct slice *rest, char c, size_t most) {
    size_t count = 0;
    while (count < most && count < rest->size && rest->bytes[count] == c)
        ++count;
    *rest = slice_after(*rest, count);
    return count;
}

/// Takes the next line; CRLF ends one as LF does. The text behind the last LF is one too, even if it is
/// empty.
static bool take_line_of_reply(struct slice *rest, bool *at_end, struct slice *line) {
    if (*at_end)
        return false;
    size_t const size = rest->size;
    if (!take_line(rest, line))
        *line = SLICE("");
    // Only a line that an LF ends is shorter than what was taken.
    *at_end = line->size == size;
    if (!*at_end && slice_ends_with(*line, SLICE("\r")))
        --line->size;
    return true;
}

static bool read_fence(struct slice line, struct fence *fence) {
    fence->indent = take_up_to(&line, ' ', MOST_INDENT);
    fence->character = line.size > 0 ? line.bytes[0] : '\0';
    if (fence->character != '`' && fence->character != '~')
        return false;
    fence->length = take_up_to(&line, fence->character, SIZE_MAX);
    fence->info = line;
    return fence->length >= LEAST_FENCE;
}

static bool opens(struct slice line, struct fence *fence) {
    return read_fence(line, fence) && (fence->character == '~' || fence->info.size == 0 ||
                                       memchr(fence->info.bytes, '`', fence->info.size) == NULL);
}

static bool closes(struct slice line, struct fence const *opening) {
    struct fence fence;
    if (!read_fence(line, &fence) || fence.character != opening->character || fence.length < opening->length)
        return false;
    take_while(&fence.info, is_blank);
    return fence.info.size == 0;
}

static struct slice tag_of(struct slice info) {
    take_while(&info, is_blank);
    struct slice const tag = info;
    return slice_first(tag, take_while(&info, is_no_blank));
}

static bool is_python(struct slice tag) {
    return slice_equals_in_any_case(tag, SLICE("python")) ||
           slice_equals_in_any_case(tag, SLICE("python3")) || slice_equals_in_any_case(tag, SLICE("py")) ||
           slice_equals_in_any_case(tag, SLICE("py3"));
}

/// Takes the lines of a block, and its closing fence.
static void take_block(struct slice *rest, bool *at_end, struct fence const *opening, struct buffer *code) {
    struct slice line;
    while (take_line_of_reply(rest, at_end, &line) && !closes(line, opening)) {
        take_up_to(&line, ' ', opening->indent);
        buffer_append(code, line);
        buffer_append_char(code, '\n');
    }
    while (code->size > 0 && code->bytes[code->size - 1] == '\n')
        --code->size;
    buffer_append_char(code, '\n');
}

bool extract(struct slice reply, struct buffer *code) {
    static struct buffer block;
    size_t const thought = slice_find_last(reply, SLICE("</think>"));
    if (thought != NOT_FOUND)
        reply = slice_after(reply, thought + strlen("</think>"));
    bool at_end = false, is_found = false, is_tagged = false;
    struct slice line;
    struct fence fence;
    while (take_line_of_reply(&reply, &at_end, &line)) {
        if (!opens(line, &fence))
            continue;
        buffer_clear(&block);
        take_block(&reply, &at_end, &fence, &block);
        struct slice const tag = tag_of(fence.info);
        bool const counts = is_python(tag) || (tag.size == 0 && !is_tagged);
        if (!counts || stripped(buffer_slice(&block)).size == 0)
            continue;
        bool const is_better_kind = is_python(tag) && !is_tagged;
        if (!is_found || is_better_kind || block.size >= code->size) {
            struct buffer const worse = *code;
            *code = block;
            block = worse;
            is_found = true;
            is_tagged = is_python(tag);
        }
    }
    return is_found;
}
