// The JSON reader: what it takes, and that no text makes it read where it must not.

#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "canonical.h"
#include "check.h"

static bool is_json(char const *text) {
    struct slice value;
    name_case("json", slice_of(text));
    return json_read(slice_of(text), &value);
}

static void test_what_is_taken(void) {
    CHECK(is_json(" {\"a\" : [1, -0.5e+3, \"\\ud83d\\ude00\\n\", true, false, null, {}, []] } "));
    CHECK(is_json("0"));
    CHECK(is_json("\"\xc3\xa9\""));
    char const *const refused[] = {
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "[1 2]",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "NaN",
        "Infinity",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "nul",
        "'a'",
        "\"\xff\"",
        "{}{}",
        "[}",
        "\"\\ud83d\\n\"",
        "[",
        "-",
        "tru",
        "\xef\xbb\xbf{}",
        "{1:2}",
        "\"a",
        "\"a\\",
        "{\"a\":}",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i)
        CHECK(!is_json(refused[i]));
}

static void test_depth(void) {
    struct buffer text = {0};
    for (int i = 0; i < JSON_DEPTH; ++i)
        buffer_append_char(&text, '[');
    for (int i = 0; i < JSON_DEPTH; ++i)
        buffer_append_char(&text, ']');
    CHECK(is_json(text.bytes));
    struct buffer deeper = {0};
    buffer_format(&deeper, "[%s]", text.bytes);
    CHECK(!is_json(deeper.bytes));
    buffer_free(&text);
    buffer_free(&deeper);
}

static void check_finite(char const *text, bool with_integers, bool without) {
    struct slice value;
    name_case("finite", slice_of(text));
    CHECK(json_read(slice_of(text), &value));
    CHECK(json_is_finite(value, true) == with_integers);
    CHECK(json_is_finite(value, false) == without);
}

static void test_finite(void) {
    struct buffer integer = {0};
    for (int i = 0; i < 400; ++i)
        buffer_append_char(&integer, '9');
    check_finite("{\"1e999\":[1e308,\"\\\"1e999\",-5,0.1e-999,true,null]}", true, true);
    check_finite("[1,1e309]", false, false);
    check_finite("{\"a\":{\"b\":-2.5e999}}", false, false);
    check_finite(integer.bytes, false, true);
    buffer_free(&integer);
}

static void check_member(char const *object, char const *name, char const *expected) {
    struct slice value;
    name_case("member", slice_of(object));
    CHECK(json_read(slice_of(object), &value));
    CHECK_TEXT(json_member(value, slice_of(name)), slice_of(expected));
}

static void test_members(void) {
    check_member("{\"a\": 1, \"b\" : [ \"]\" ] , \"c\":{\"a\":\"}\\\"\"}}", "b", "[ \"]\" ]");
    check_member("{\"a\": 1, \"b\" : [ \"]\" ] , \"c\":{\"a\":\"}\\\"\"}}", "c", "{\"a\":\"}\\\"\"}");
    check_member("{\"\\u0061\": -1e5}", "a", "-1e5");
    check_member("{\"a\": 1, \"a\": 2}", "a", "2");
    check_member("{\"b\": {\"a\": 1}}", "a", "");
    check_member("[\"a\", 1]", "a", "");
}

static void check_canonical(char const *text, char const *expected) {
    struct slice value;
    struct buffer found = {0};
    name_case("canonical", slice_of(text));
    CHECK(json_read(slice_of(text), &value));
    append_canonical(&found, value);
    CHECK_TEXT(buffer_slice(&found), slice_of(expected));
    buffer_free(&found);
}

static void test_canonical(void) {
    check_canonical("[0.1, 0.25, 1e-5, 1.5e-7, 0.0001, -0.0, -0, 1.0, 1E3, 5e-324]",
                    "[0.1,0.25,1e-05,1.5e-07,0.0001,0,0,1,1000,5e-324]");
    check_canonical(
        "[123456789.125, 0.30000000000000004, 123456789012345678901234567890, 1e22]",
        "[123456789.125,0.30000000000000004,123456789012345678901234567890,10000000000000000000000]");
    check_canonical("{\"b\": {}, \"a\": [], \"\\u00e9\": \"\\/\\u0001\\b\", \"b\": true}",
                    "{\"a\":[],\"b\":true,\"\xc3\xa9\":\"/\\u0001\\b\"}");
}

/// Texts that are nearly JSON: none of them may lead outside, which the sanitizers see.
static void test_random_texts(void) {
    static char const SEED[] = "{\"a\":[1,-2.5e3,\"\\ud83d\\ude00\\n\xc3\xa9\",{\"b\":null}],\"c\":true}";
    for (int i = 0; i < 20000; ++i) {
        size_t const size = strlen(SEED);
        char *const text = malloc(size + 1);
        memcpy(text, SEED, size + 1);
        for (size_t changes = random_below(4); changes > 0; --changes)
            text[random_below(size)] = SEED[random_below(size)];
        struct slice value;
        struct buffer canonical = {0}, again = {0};
        name_case("random text", slice_of(text));
        if (json_read(slice_of(text), &value)) {
            append_canonical(&canonical, value);
            CHECK(json_read(buffer_slice(&canonical), &value));
            append_canonical(&again, value);
            CHECK_TEXT(buffer_slice(&again), buffer_slice(&canonical));
        }
        buffer_free(&canonical);
        buffer_free(&again);
        free(text);
    }
}

void test_json(void) {
    test_what_is_taken();
    test_depth();
    test_finite();
    test_members();
    test_canonical();
    test_random_texts();
}
