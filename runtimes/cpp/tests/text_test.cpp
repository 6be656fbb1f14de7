#include "text.hpp"

#include <doctest/doctest.h>

#include "sha256.hpp"

using namespace agentloop;

TEST_CASE("each maximal subpart of what is not UTF-8 becomes U+FFFD") {
    CHECK(decoded("a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80") == "aü€😀");
    CHECK(decoded("\xFF\xFE") == "\uFFFD\uFFFD");
    CHECK(decoded("\xC0\xAF") == "\uFFFD\uFFFD");
    CHECK(decoded("\xE2\x82") == "\uFFFD");
    CHECK(decoded("\xE2\x82x") == "\uFFFDx");
    CHECK(decoded("\xF0\x9F\x98\xF0\x9F\x98\x80") == "\uFFFD😀");
    CHECK(decoded("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");
    CHECK(decoded("\xF4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");
    // The example of the Unicode standard, table 3-11.
    CHECK(decoded("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41") == "\uFFFD\uFFFD\uFFFD\uFFFD\x41");
}

TEST_CASE("UTF-8 is told from what is not") {
    CHECK(is_utf_8(""));
    CHECK(is_utf_8("ü€😀"));
    CHECK(!is_utf_8("ü\x80"));
    CHECK(!is_utf_8("\xF0\x9F\x98"));
}

TEST_CASE("white space") {
    CHECK(without_trailing_white_space(" x \t\n\r\v\f") == " x");
    CHECK(without_trailing_white_space(" \n").empty());
    CHECK(stripped("\f x\u00A0 ") == "x\u00A0");
    CHECK(stripped(" \n").empty());
    CHECK(in_one_line("  a\n\tb  c \n") == "a b c");
    CHECK(in_one_line(" ").empty());
}

TEST_CASE("replacing goes from left to right and looks at nothing twice") {
    CHECK(replaced("aaa", "aa", "a") == "aa");
    CHECK(replaced("a.b.", ".", "..") == "a..b..");
    CHECK(replaced("", "a", "b").empty());
}

TEST_CASE("SHA-256 of the examples of FIPS 180-2, and around the length of a block") {
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    CHECK(sha256_hex(std::string(55, 'x')) ==
          "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072");
    CHECK(sha256_hex(std::string(56, 'x')) ==
          "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e");
    CHECK(sha256_hex(std::string(63, 'x')) ==
          "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2");
    CHECK(sha256_hex(std::string(64, 'x')) ==
          "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c");
    CHECK(sha256_hex(std::string(65, 'x')) ==
          "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9");
}
