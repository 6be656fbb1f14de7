#include "utf8.h"

/// The length of the character that `bytes` begins with, or 0; then `bad` is the length of the maximal
/// subpart.
static size_t character_length(struct slice bytes, size_t *bad) {
    unsigned char const lead = (unsigned char)bytes.bytes[0];
    unsigned char lower = 0x80, upper = 0xBF;
    size_t length = 0;
    *bad = 1;
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        length = 2;
    else if (lead >= 0xE0 && lead <= 0xEF)
        length = 3;
    else if (lead >= 0xF0 && lead <= 0xF4)
        length = 4;
    // The second byte must rule out what would be overlong, a surrogate or beyond Unicode.
    if (lead == 0xE0)
        lower = 0xA0;
    else if (lead == 0xED)
        upper = 0x9F;
    else if (lead == 0xF0)
        lower = 0x90;
    else if (lead == 0xF4)
        upper = 0x8F;
    for (; *bad < length; ++*bad) {
        if (*bad == bytes.size)
            return 0;
        unsigned char const next = (unsigned char)bytes.bytes[*bad];
        if (next < lower || next > upper)
            return 0;
        lower = 0x80;
        upper = 0xBF;
    }
    return length;
}

/// How many bytes at the beginning are whole characters.
static size_t valid_length(struct slice bytes, size_t *bad) {
    size_t at = 0;
    while (at < bytes.size) {
        if ((unsigned char)bytes.bytes[at] < 0x80) {
            ++at;
            continue;
        }
        size_t const length = character_length(slice_after(bytes, at), bad);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

bool utf8_is_valid(struct slice bytes) {
    size_t bad = 0;
    return valid_length(bytes, &bad) == bytes.size;
}

void utf8_append(struct buffer *text, struct slice bytes) {
    for (;;) {
        size_t bad = 0;
        size_t const valid = valid_length(bytes, &bad);
        buffer_append(text, slice_first(bytes, valid));
        bytes = slice_after(bytes, valid);
        if (bytes.size == 0)
            return;
        buffer_append(text, SLICE("\xEF\xBF\xBD"));
        bytes = slice_after(bytes, bad);
    }
}

void utf8_append_code_point(struct buffer *text, uint32_t code_point) {
    if (code_point < 0x80) {
        buffer_append_char(text, (char)code_point);
        return;
    }
    int const following = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
    static unsigned char const LEADS[] = {0, 0xC0, 0xE0, 0xF0};
    buffer_append_char(text, (char)(LEADS[following] | code_point >> (6 * following)));
    for (int i = following - 1; i >= 0; --i)
        buffer_append_char(text, (char)(0x80 | (code_point >> (6 * i) & 0x3F)));
}
