// Every vector of the contract, as it is.

#include "vectors.hpp"

#include <doctest/doctest.h>

#include "completion.hpp"
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

/// The data of all events of a stream, also of those after a broken one.
json data_of(std::vector<std::string_view> const& pieces) {
    auto data = json::array();
    EventStream events;
    for (auto const piece : pieces)
        events.feed(piece, [&](std::string_view event) { data.push_back(event); });
    return data;
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

/// What a stream adds up to.
json completion_of(std::vector<std::string_view> const& pieces) {
    EventStream events;
    Completion completion;
    try {
        for (auto const piece : pieces)
            events.feed(piece, [&](std::string_view event) { completion.add(event); });
        completion.end();
    } catch (BrokenStream const& broken) {
        return {{"text", nullptr},
                {"finish_reason", nullptr},
                {"usage", nullptr},
                {"error", name_of(broken.kind())}};
    }
    return {{"text", completion.text()},
            {"finish_reason", completion.finish_reason()},
            {"usage", json::parse(completion.usage())},
            {"error", nullptr}};
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
        auto const code = extract(one.at("reply").get<std::string>());
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
        auto const body =
            conversation_of(one, prompts).body(one.at("model").get<std::string>(), one.at("request"));
        CHECK(body == one.at("body").get<std::string>());
        CHECK(sha256_hex(body) == one.at("sha256").get<std::string>());
    }
}

TEST_CASE("sse vectors, whole, cut in two at any byte, and byte by byte") {
    for (auto const& one : vectors("sse")) {
        CAPTURE(one.at("name"));
        auto const stream = bytes_of(one, "stream");
        auto const check = [&](std::vector<std::size_t> const& cuts) {
            auto const pieces = pieces_of(stream, cuts);
            CHECK(completion_of(pieces) == one.at("completion"));
            CHECK(data_of(pieces) == one.at("data"));
        };
        check({});
        std::vector<std::size_t> everywhere;
        for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
            CAPTURE(cut);
            check({cut});
            everywhere.push_back(cut);
        }
        check(everywhere);
    }
}
