#include "received_body.hpp"

#include <doctest/doctest.h>

using namespace agentloop;

namespace {

/// Whether a body is seen to end where `received` does, whole, cut in two at any byte, and byte by byte.
bool ends_here(std::string_view received, ReceivedBody const& body = ReceivedBody::in_chunks()) {
    auto whole = body, bytes = body;
    whole.feed(received);
    for (std::size_t at = 0; at < received.size(); ++at) {
        bytes.feed(received.substr(at, 1));
        auto parts = body;
        parts.feed(received.substr(0, at));
        parts.feed(received.substr(at));
        CHECK(parts.ends_here() == whole.ends_here());
    }
    CHECK(bytes.ends_here() == whole.ends_here());
    return whole.ends_here();
}

}  // namespace

TEST_CASE("a body in chunks that ends where what was received does") {
    CHECK(ends_here("0\r\n\r\n"));
    CHECK(ends_here("5\r\nhello\r\n0\r\n\r\n"));
    CHECK(ends_here("5;name=value\r\nhello\r\n00\r\n\r\n"));
    CHECK(ends_here("A\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"));
    CHECK(ends_here("0\r\nX-Cost: 1\r\nX-Long: " + std::string(100, 'x') + "\r\n\r\n"));
    CHECK(ends_here("3;" + std::string(100, 'x') + "\r\nabc\r\n0\r\n\r\n"));
}

TEST_CASE("a body in chunks that does not end there") {
    CHECK(!ends_here(""));
    CHECK(!ends_here("5\r\nhello\r\n0\r\n"));
    CHECK(!ends_here("5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"));
    CHECK(!ends_here("0\r\n\r\n0\r\n\r\n"));
    CHECK(!ends_here("5\r\nhello!0\r\n\r\n"));
    CHECK(!ends_here("x\r\n\r\n"));
    CHECK(!ends_here("\r\n0\r\n\r\n"));
    CHECK(!ends_here("-1\r\n0\r\n\r\n"));
    CHECK(!ends_here("10000000000000000\r\n0\r\n\r\n"));
}

TEST_CASE("a body with a length") {
    CHECK(ends_here("hello", ReceivedBody::of_length(5)));
    CHECK(!ends_here("hell", ReceivedBody::of_length(5)));
    CHECK(!ends_here("hello!", ReceivedBody::of_length(5)));
    CHECK(!ends_here("", ReceivedBody::of_length(0)));
}
