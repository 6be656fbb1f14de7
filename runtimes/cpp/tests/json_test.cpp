#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "canonical.hpp"
#include "json_text.hpp"

using namespace agentloop;

namespace {

std::string rewritten(std::string_view text) {
    return canonical(parse_json(text));
}

}  // namespace

TEST_CASE("canonical JSON") {
    CHECK(rewritten(" { \"b\" : [ ] , \"a\" : { } , \"ü\" : null } ") == R"({"a":{},"b":[],"ü":null})");
    CHECK(rewritten(R"(["\u0041\u000b\u001F\b\f\n\r\t\"\\\/\u007f\u2028"])") ==
          "[\"A\\u000b\\u001f\\b\\f\\n\\r\\t\\\"\\\\/\x7f\u2028\"]");
    CHECK(rewritten(R"({"\uff01":1,"\ud83d\ude00":2,"a":3})") == "{\"a\":3,\"！\":1,\"😀\":2}");
    CHECK(rewritten(R"({"a":1,"a":2})") == R"({"a":2})");
}

TEST_CASE("canonical numbers") {
    CHECK(rewritten("[1.0, -0.0, -0, 0.25, 1e3, -2.50, 0.1]") == "[1,0,0,0.25,1000,-2.5,0.1]");
    CHECK(rewritten("[0.0001, 0.00001, 0.00015, 1.5e-7, 5e-324]") == "[0.0001,1e-05,0.00015,1.5e-07,5e-324]");
    CHECK(rewritten("[123456.789, 4503599627370495.5, 3.141592653589793]") ==
          "[123456.789,4503599627370495.5,3.141592653589793]");
    CHECK(rewritten("[9223372036854775807, 18446744073709551615, -9223372036854775808]") ==
          "[9223372036854775807,18446744073709551615,-9223372036854775808]");
    CHECK(rewritten("[9007199254740993.0, 1e15, 9.2e18]") ==
          "[9007199254740992,1000000000000000,9200000000000000000]");
    CHECK(rewritten("[1e16, 1e21, -1e23, 123456789012345680.0]") ==
          "[10000000000000000,1000000000000000000000,-99999999999999991611392,123456789012345680]");
    CHECK(rewritten("1.7976931348623157e308").size() == 309);
    CHECK(rewritten("[18446744073709551617]") == "[18446744073709551616]");
}

TEST_CASE("what is not JSON") {
    auto const reason = [](std::string_view text) -> std::string {
        try {
            parse_json(text);
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
