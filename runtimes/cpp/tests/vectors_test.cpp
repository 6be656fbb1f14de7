// Every vector of the contract, as it is.

#include "vectors.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "backoff.hpp"
#include "base_url.hpp"
#include "canonical.hpp"
#include "completion.hpp"
#include "endpoint.hpp"
#include "extraction.hpp"
#include "feedback.hpp"
#include "messages.hpp"
#include "sha256.hpp"
#include "sse.hpp"
#include "verdict.hpp"

using namespace agentloop;
using nlohmann::json;

namespace {

/// The stream in the pieces that its cuts make.
std::vector<std::string_view> pieces_of(std::string_view stream, std::vector<std::size_t> const& cuts) {
    std::vector<std::string_view> pieces;
    std::size_t begin = 0;
    for (auto const cut : cuts)
        pieces.push_back(stream.substr(std::exchange(begin, cut), cut - begin));
    pieces.push_back(stream.substr(begin));
    return pieces;
}

std::string_view name_of(BrokenStream::Kind kind) {
    switch (kind) {
        case BrokenStream::Kind::truncated:
            return "truncated";
        case BrokenStream::Kind::malformed:
            return "malformed";
        case BrokenStream::Kind::endpoint:
            return "endpoint";
    }
    return {};
}

/// What the events of a stream hold, and what they add up to.
struct Received {
    std::vector<std::string> data;  ///< Also of events after a broken one.
    std::optional<Completion> completion;
    std::string_view error;

    bool operator==(Received const& other) const {
        auto const sum = [](Received const& one) {
            return one.completion ? std::tuple(one.completion->text(), one.completion->finish_reason(),
                                               one.completion->usage())
                                  : std::tuple<std::string, std::string, std::string>();
        };
        return data == other.data && error == other.error && sum(*this) == sum(other);
    }
};

Received received(std::vector<std::string_view> const& pieces) {
    Received received{{}, Completion(), {}};
    auto const attempt = [&](auto step) {
        try {
            if (received.completion)
                step(*received.completion);
        } catch (BrokenStream const& broken) {
            received.completion.reset();
            received.error = name_of(broken.kind());
        }
    };
    EventStream events;
    for (auto const piece : pieces)
        events.feed(piece, [&](std::string_view data) {
            received.data.emplace_back(data);
            attempt([&](Completion& completion) { completion.add(data); });
        });
    attempt([](Completion& completion) { completion.end(); });
    return received;
}

/// The same as it is in the vectors.
json shown(Received const& received) {
    json all;
    all["data"] = received.data;
    auto& sum = all["completion"];
    sum["text"] = received.completion ? json(received.completion->text()) : json();
    sum["finish_reason"] = received.completion ? json(received.completion->finish_reason()) : json();
    sum["usage"] = received.completion ? parse_json(received.completion->usage()) : json();
    sum["error"] = received.error.empty() ? json() : json(received.error);
    return all;
}

Prompts prompts_of(json const& texts) {
    return {texts.at("system"), texts.at("user"), texts.at("tests_failed"), texts.at("timed_out"),
            texts.at("no_code")};
}

Conversation conversation_of(json const& one, Prompts const& prompts) {
    auto const& task = one.at("task");
    Conversation conversation(prompts, {task.at("task_id"), task.at("prompt"), task.at("tests"), "f"});
    for (auto const& turn : one.at("turns")) {
        if (turn.at("then") == "no_code")
            conversation.no_code(turn.at("reply"));
        else if (turn.at("then") == "timed_out")
            conversation.timed_out(turn.at("reply"));
        else
            conversation.tests_failed(turn.at("reply"), turn.at("output").get<std::string>());
    }
    return conversation;
}

}  // namespace

TEST_CASE("extraction vectors") {
    for (auto const& one : vectors("extraction")) {
        CAPTURE(one.at("name"));
        auto const code =
            extract(one.at("reply").get<std::string>(), one.at("entry_point").get<std::string>());
        CHECK((code ? json(*code) : json()) == one.at("expected"));
    }
}

TEST_CASE("feedback vectors") {
    for (auto const& one : vectors("feedback")) {
        CAPTURE(one.at("name"));
        CHECK(normalise(bytes_of(one, "stdout"), bytes_of(one, "stderr"), bytes_of(one, "workspace")) ==
              one.at("expected").get<std::string>());
    }
}

TEST_CASE("verdict vectors") {
    for (auto const& one : vectors("verdicts")) {
        CAPTURE(one.at("name"));
        auto const verdict =
            judge(optional_number(one.at("exit_code")), one.at("timed_out"), bytes_of(one, "stdout"));
        CHECK(name(verdict) == one.at("expected").get<std::string>());
    }
}

TEST_CASE("messages vectors") {
    for (auto const& one : vectors("messages")) {
        CAPTURE(one.at("name"));
        auto const prompts = prompts_of(one.at("prompts"));
        auto const body = conversation_of(one, prompts)
                              .body(one.at("model").get<std::string>(), canonical_fields(one.at("request")));
        CHECK(body == one.at("body").get<std::string>());
        CHECK(sha256_hex(body) == one.at("sha256").get<std::string>());
    }
}

TEST_CASE("sse vectors, whole, cut in two at any byte, and byte by byte") {
    for (auto const& one : vectors("sse")) {
        CAPTURE(one.at("name"));
        auto const stream = bytes_of(one, "stream");
        auto const whole = received({stream});
        CHECK(shown(whole)["data"] == one.at("data"));
        CHECK(shown(whole)["completion"] == one.at("completion"));
        std::vector<std::size_t> everywhere;
        for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
            CAPTURE(cut);
            CHECK(received(pieces_of(stream, {cut})) == whole);
            everywhere.push_back(cut);
        }
        CHECK(received(pieces_of(stream, everywhere)) == whole);
    }
}

TEST_CASE("Retry-After vectors") {
    for (auto const& one : vectors("retry_after")) {
        CAPTURE(one.at("name"));
        CHECK(retry_after_s(one.at("value").get<std::string>(), one.at("now").get<std::time_t>()) ==
              one.at("expected").get<double>());
    }
}

TEST_CASE("base URL vectors") {
    for (auto const& one : vectors("base_url")) {
        CAPTURE(one.at("name"));
        auto const url = parse_base_url(one.at("base_url").get<std::string>());
        auto const& expected = one.at("expected");
        CHECK(url.has_value() == !expected.is_null());
        if (!url || expected.is_null())
            continue;
        CHECK(url->tls == expected.at("tls").get<bool>());
        CHECK(url->host == expected.at("host").get<std::string>());
        CHECK(url->port == expected.at("port").get<int>());
        CHECK(url->host_header == expected.at("host_header").get<std::string>());
        CHECK(url->target == expected.at("target").get<std::string>());
    }
}

TEST_CASE("reason vectors") {
    for (auto const& one : vectors("reasons")) {
        CAPTURE(one.at("name"));
        Endpoint const endpoint({}, one.at("key").get<std::string>(), {}, {});
        CHECK(endpoint.presentable(one.at("said").get<std::string>()) ==
              one.at("expected").get<std::string>());
    }
}
