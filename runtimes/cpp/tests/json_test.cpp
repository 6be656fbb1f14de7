#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "canonical.hpp"
#include "json_text.hpp"
#include "json_view.hpp"

using namespace agentloop;

TEST_CASE("canonical JSON") {
    CHECK(canonical_text(" { \"b\" : [ ] , \"a\" : { } , \"ü\" : null } ") == R"({"a":{},"b":[],"ü":null})");
    CHECK(canonical_text(R"(["\u0041\u000b\u001F\b\f\n\r\t\"\\\/\u007f\u2028"])") ==
          "[\"A\\u000b\\u001f\\b\\f\\n\\r\\t\\\"\\\\/\x7f\u2028\"]");
    CHECK(canonical_text(R"({"\uff01":1,"\ud83d\ude00":2,"a":3})") == "{\"a\":3,\"！\":1,\"😀\":2}");
    CHECK(canonical_text(R"({"a":1,"a":2})") == R"({"a":2})");
}

TEST_CASE("canonical numbers") {
    CHECK(canonical_text("[1.0, -0.0, -0, 0.25, 1e3, -2.50, 0.1]") == "[1,0,0,0.25,1000,-2.5,0.1]");
    CHECK(canonical_text("[0.0001, 0.00001, 0.00015, 1.5e-7, 5e-324]") ==
          "[0.0001,1e-05,0.00015,1.5e-07,5e-324]");
    CHECK(canonical_text("[123456.789, 4503599627370495.5, 3.141592653589793]") ==
          "[123456.789,4503599627370495.5,3.141592653589793]");
    CHECK(canonical_text("[9223372036854775807, 18446744073709551615, -9223372036854775808]") ==
          "[9223372036854775807,18446744073709551615,-9223372036854775808]");
    CHECK(canonical_text("[9007199254740993.0, 1e15, 9.2e18]") ==
          "[9007199254740992,1000000000000000,9200000000000000000]");
    CHECK(canonical_text("[1e16, 1e21, -1e23, 123456789012345680.0]") ==
          "[10000000000000000,1000000000000000000000,-99999999999999991611392,123456789012345680]");
    CHECK(canonical_text("1.7976931348623157e308").size() == 309);
    CHECK(canonical_text("[18446744073709551617]") == "[18446744073709551616]");
}

TEST_CASE("what is not JSON") {
    auto const reason = [](std::string_view text) -> std::string {
        try {
            canonical_text(text);
        } catch (NotJson const& failure) {
            return failure.what();
        }
        return "is JSON";
    };
    CHECK(reason("") ==
          "parse error at line 1, column 1: syntax error while parsing value - unexpected end of "
          "input; expected '[', '{', or a literal");
    CHECK(reason("{} {}").starts_with("parse error at line 1, column 4: "));
    CHECK(reason(R"({"a": {"b": NaN}})").starts_with("at a.b: parse error at "));
    CHECK(reason(R"({"a": {"b": 0}, "c": [{"d": 1e999}]})") == "at c.d: number overflow parsing '1e999'");
    CHECK(reason("[\"\xFF\"]").starts_with("parse error at "));
    CHECK(reason(R"(["\ud800"])").starts_with("parse error at "));
    CHECK(reason("\xEF\xBB\xBF{}") == "there is a byte order mark");
    CHECK(reason(std::string_view("{}\0x", 4)) == "there is a NUL");
    CHECK(reason("\u00A0{}") != "is JSON");
    CHECK(reason(std::string(JSON_DEPTH_LIMIT, '[') + std::string(JSON_DEPTH_LIMIT, ']')) == "is JSON");
    CHECK(reason(std::string(JSON_DEPTH_LIMIT + 1, '[') + std::string(JSON_DEPTH_LIMIT + 1, ']')) ==
          "objects and lists lie more than 200 deep");
    CHECK(reason(R"({"a":)" + std::string(100'000, '[')) == "at a: objects and lists lie more than 200 deep");
}

TEST_CASE("a view of JSON takes what RFC 8259 allows, and nothing else") {
    auto const is_json = [](std::string_view text) { return JsonView::of(text).has_value(); };
    for (auto const* const good : {"null", " true\t", "\r\nfalse\n", "0", "-0", "10.25", "1e5", "1E+400",
                                   "-1.5e-7", "\"\"", "\"\u00FC\\u00fc\\n\\/\\\"\"", "[]", "[ ]",
                                   "[1, [2], {}]", "{}", "{ }", R"({"a" : 1 , "b":{"c":[]}})"}) {
        CAPTURE(good);
        CHECK(is_json(good));
    }
    for (auto const* const bad :
         {"",           " ",     "nul",     "True",     "01",         "-",     "+1",     ".5",
          "1.",         "1e",    "0x1",     "NaN",      "'a'",        "\"",    "\"\n\"", "\"\\x\"",
          "\"\\u00f\"", "\"\\",  "[",       "[1",       "[1,",        "[1,]",  "[1 2]",  "]",
          "{",          "{a:1}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{1:1}", "{}}",    "[}",
          "{\"a\":1]",  "1 1",   "\v1",     "\u00A01",  "\uFEFF1"}) {
        CAPTURE(bad);
        CHECK(!is_json(bad));
    }
    CHECK(!is_json(std::string_view("1\0", 2)));
    CHECK(is_json(std::string(1'000'000, '[') + std::string(1'000'000, ']')));
    CHECK(!is_json(std::string(1'000'000, '[')));
    CHECK(is_json(std::string(1'000'000, '7')));
}

TEST_CASE("what a view of JSON holds") {
    auto const view = JsonView::of(R"( {"a": [ "x\ty" , 2], "\u0061b" : {"c":null}, "a":[], "":"\\"} )");
    REQUIRE(view);
    std::vector<std::string> names, values;
    view->for_each_field([&](JsonView name, JsonView value) {
        names.push_back(name.text());
        values.emplace_back(value.json());
        CHECK(name.says(names.back()));
        CHECK(!name.says(names.back() + "x"));
    });
    CHECK(names == std::vector<std::string>{"a", "ab", "a", ""});
    CHECK(values == std::vector<std::string>{R"([ "x\ty" , 2])", R"({"c":null})", "[]", R"("\\")"});
    CHECK(JsonView::of(values[0])->first().text() == "x\ty");
    CHECK(JsonView::of("[]")->first().json().empty());
    CHECK(JsonView::of("{}")->first().json().empty());
    CHECK(JsonView::of("7")->text().empty());
    CHECK(JsonView().is_null());
    CHECK(JsonView::of(R"("\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00\u0000.")")->text() ==
          std::string("\"\\/\b\f\n\r\t\u00E9\u20AC\U0001F600\0.", 19));
    CHECK(JsonView::of(R"("\ud83d.\ude00\ud83d\u0041")")->text() == "\uFFFD.\uFFFD\uFFFDA");
}
