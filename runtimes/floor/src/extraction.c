#include "extraction.h"

#include <string.h>

enum { MOST_EXTRA_INDENT = 3, LEAST_FENCE = 3 };

static char const *const END_TOKENS[] = {"</s>", "<eos>", "<end_of_turn>", "<｜end▁of▁sentence｜>"};

static struct {
    char const *begin, *end;
} const THOUGHTS[] = {{"<think>", "</think>"}, {"<thinking>", "</thinking>"}, {"[THINK]", "[/THINK]"}};

#define COUNT(list) (sizeof(list) / sizeof *(list))

struct fence {
    size_t indent;
    char character;
    size_t length;
    struct slice info;
};

/// How good a block is: what is named first counts most.
struct rank {
    size_t section;  ///< How many lines with ends of thought precede it.
    bool defines;
    bool is_python;
    size_t size;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static bool is_no_blank(char c) {
    return !is_blank(c);
}

static bool is_of_token(char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/// What may go on in a name of Python; beyond ASCII, everything.
static bool is_of_name(char c) {
    return is_of_token(c) || (unsigned char)c >= 0x80;
}

static size_t take_up_to(struct slice *rest, char c, size_t most) {
    size_t count = 0;
    while (count < most && count < rest->size && rest->bytes[count] == c)
        ++count;
    *rest = slice_after(*rest, count);
    return count;
}

// The ends of a reply.

/// Drops one end token from the end of a text; false if there is none.
static bool drop_end_token(struct slice *text) {
    if (slice_ends_with(*text, SLICE("|>"))) {
        size_t const after_name = text->size - strlen("|>");
        size_t name = after_name;
        while (name > 0 && is_of_token(text->bytes[name - 1]))
            --name;
        if (name == after_name || !slice_ends_with(slice_first(*text, name), SLICE("<|")))
            return false;
        text->size = name - strlen("<|");
        return true;
    }
    for (size_t i = 0; i < COUNT(END_TOKENS); ++i) {
        struct slice const token = slice_of(END_TOKENS[i]);
        if (slice_ends_with(*text, token)) {
            text->size -= token.size;
            return true;
        }
    }
    return false;
}

static struct slice without_spaces_at_end(struct slice text, bool (*is_space)(char)) {
    while (text.size > 0 && is_space(text.bytes[text.size - 1]))
        --text.size;
    return text;
}

/// The text without the end tokens at its end and the spaces around them; as it is if there are none.
static struct slice without_end_tokens(struct slice text, bool (*is_space)(char)) {
    struct slice rest = without_spaces_at_end(text, is_space);
    while (drop_end_token(&rest))
        text = rest = without_spaces_at_end(rest, is_space);
    return text;
}

/// Takes a thought from the beginning of a text; false if there is none.
static bool take_thought(struct slice *text) {
    struct slice rest = *text;
    take_while(&rest, is_white_space);
    for (size_t i = 0; i < COUNT(THOUGHTS); ++i) {
        if (!take(&rest, slice_of(THOUGHTS[i].begin)))
            continue;
        struct slice const end = slice_of(THOUGHTS[i].end);
        size_t const at = slice_find(rest, end);
        if (at == NOT_FOUND)
            return false;
        *text = slice_after(rest, at + end.size);
        return true;
    }
    return false;
}

// Lines and fences.

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

/// Takes what stands before the last end of a thought in a line, and that; false if there is none.
static bool take_ends_of_thought(struct slice *line) {
    size_t taken = 0;
    for (size_t i = 0; i < COUNT(THOUGHTS); ++i) {
        struct slice const end = slice_of(THOUGHTS[i].end);
        size_t const at = slice_find_last(*line, end);
        if (at != NOT_FOUND && at + end.size > taken)
            taken = at + end.size;
    }
    *line = slice_after(*line, taken);
    return taken > 0;
}

static bool read_fence(struct slice line, struct fence *fence) {
    fence->indent = take_up_to(&line, ' ', SIZE_MAX);
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
    return read_fence(line, &fence) && fence.character == opening->character &&
           fence.length >= opening->length && fence.indent <= opening->indent + MOST_EXTRA_INDENT &&
           without_spaces_at_end(without_end_tokens(fence.info, is_blank), is_blank).size == 0;
}

static struct slice tag_of(struct slice info) {
    take_while(&info, is_blank);
    struct slice const tag = info;
    return slice_first(tag, take_while(&info, is_no_blank));
}

static bool is_of_version(char c) {
    return is_digit(c) || c == '.';
}

static bool is_python(struct slice tag) {
    while (tag.size > 0 && is_of_version(tag.bytes[tag.size - 1]))
        --tag.size;
    return slice_equals_in_any_case(tag, SLICE("python")) || slice_equals_in_any_case(tag, SLICE("py"));
}

// Definitions.

/// Takes what stands before the name where something is defined.
static bool take_keyword(struct slice *line) {
    bool const is_async = take(line, SLICE("async"));
    if (is_async && take_while(line, is_blank) == 0)
        return false;
    return (take(line, SLICE("def")) || (!is_async && take(line, SLICE("class")))) &&
           take_while(line, is_blank) > 0;
}

/// Whether a line of Python begins the definition of a name, or assigns to it.
static bool defines(struct slice line, struct slice name) {
    struct slice ahead = line;
    if (take_keyword(&ahead) && take(&ahead, name))
        return ahead.size == 0 || !is_of_name(ahead.bytes[0]);
    if (!take(&line, name))
        return false;
    take_while(&line, is_blank);
    return take(&line, SLICE("=")) && !take(&line, SLICE("="));
}

// Blocks.

/// Takes the lines of a block, and its closing fence; returns whether one of them defines the name.
static bool take_block(struct slice *rest, bool *at_end, struct fence const *opening, struct slice name,
                       struct buffer *code) {
    struct slice line;
    bool is_defined = false;
    while (take_line_of_reply(rest, at_end, &line) && !closes(line, opening)) {
        take_up_to(&line, ' ', opening->indent);
        is_defined = is_defined || (name.size > 0 && defines(line, name));
        buffer_append(code, line);
        buffer_append_char(code, '\n');
    }
    while (code->size > 0 && code->bytes[code->size - 1] == '\n')
        --code->size;
    buffer_append_char(code, '\n');
    return is_defined;
}

static bool is_worse(struct rank a, struct rank b) {
    if (a.section != b.section)
        return a.section < b.section;
    if (a.defines != b.defines)
        return b.defines;
    if (a.is_python != b.is_python)
        return b.is_python;
    return a.size < b.size;
}

bool extract(struct slice reply, struct slice entry_point, struct buffer *code) {
    static struct buffer block;
    reply = without_end_tokens(reply, is_white_space);
    while (take_thought(&reply)) {
    }
    bool at_end = false, is_found = false;
    size_t section = 0;
    struct rank best = {0};
    struct slice line;
    while (take_line_of_reply(&reply, &at_end, &line)) {
        struct fence fence;
        bool is_open = opens(line, &fence);
        if (!is_open && take_ends_of_thought(&line)) {
            ++section;
            is_open = opens(line, &fence);
        }
        if (!is_open)
            continue;
        buffer_clear(&block);
        struct slice const tag = tag_of(fence.info);
        struct rank rank = {section, false, is_python(tag), 0};
        rank.defines = take_block(&reply, &at_end, &fence, entry_point, &block);
        rank.size = block.size;
        bool const counts = (rank.is_python || tag.size == 0) && stripped(buffer_slice(&block)).size > 0;
        if (!counts || (is_found && is_worse(rank, best)))
            continue;
        struct buffer const worse = *code;
        *code = block;
        block = worse;
        best = rank;
        is_found = true;
    }
    return is_found;
}
