// What holds for any input, of the parts that others' output goes through.

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "extraction.hpp"
#include "feedback.hpp"
#include "sse.hpp"
#include "text.hpp"
#include "verdict.hpp"

using namespace agentloop;

namespace {

constexpr int ROUNDS = 1000;

/// Random texts, the same in every run of the tests.
class Source {
  public:
    explicit Source(unsigned seed) : engine_(seed) {}

    std::size_t below(std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_);
    }

    /// Up to `length` of the pieces, and some single bytes, in any order.
    std::string text(std::vector<std::string_view> const& pieces, std::size_t length) {
        std::string text;
        for (auto count = below(length + 1); count > 0; --count) {
            if (below(8) == 0)
                text += static_cast<char>(below(256));
            else
                text += pieces[below(pieces.size())];
        }
        return text;
    }

  private:
    std::mt19937 engine_;
};

std::vector<std::string> data_of(std::string_view stream, Source* cuts) {
    std::vector<std::string> data;
    EventStream events;
    while (!stream.empty()) {
        auto const length = cuts == nullptr ? stream.size() : cuts->below(stream.size()) + 1;
        events.feed(stream.substr(0, length), [&](std::string_view event) { data.emplace_back(event); });
        stream.remove_prefix(length);
    }
    return data;
}

std::string without_white_space(std::string_view text) {
    std::string rest;
    for (char const c : text)
        if (WHITE_SPACE.find(c) == std::string_view::npos)
            rest += c;
    return rest;
}

}  // namespace

TEST_CASE("events do not depend on how the stream is cut") {
    constexpr unsigned SEED = 1;
    CAPTURE(SEED);
    Source source(SEED);
    std::size_t events = 0;
    for (int round = 0; round < ROUNDS; ++round) {
        auto const stream = source.text({"data: x\n", "data:", "\n", "\n\n", "\r", "\r\n", "\xEF\xBB\xBF",
                                         ": c", "id: 1", "ü€😀", " ", "data"},
                                        30);
        auto const whole = data_of(stream, nullptr);
        CAPTURE(stream);
        CHECK(data_of(stream, &source) == whole);
        for (auto const& data : whole)
            CHECK(is_utf_8(data));
        events += whole.size();
    }
    CHECK(events > 300);
}

TEST_CASE("what was sent arrives") {
    constexpr unsigned SEED = 2;
    CAPTURE(SEED);
    Source source(SEED);
    for (int round = 0; round < ROUNDS; ++round) {
        std::string const line_end = std::vector{"\n", "\r", "\r\n"}[source.below(3)];
        std::string stream;
        std::vector<std::string> sent;
        for (auto count = source.below(5); count > 0; --count) {
            sent.push_back(decoded(replaced(source.text({"\n", "data", ":", " ", "ü", "x"}, 10), "\r", "")));
            stream += "data: " + replaced(sent.back(), "\n", line_end + "data: ") + line_end + line_end;
        }
        CHECK(data_of(stream, &source) == sent);
    }
}

TEST_CASE("extracted code is part of the reply and ends in one line end") {
    constexpr unsigned SEED = 3;
    CAPTURE(SEED);
    Source source(SEED);
    int found = 0;
    for (int round = 0; round < ROUNDS; ++round) {
        auto const reply = source.text(
            {"\n```python\n", "\n```\n", "```", "````",  "~~~",      "python", "py", "json",    "\n",
             "\r\n",          " ",       "\t",  "x = 1", "</think>", "ü",      "`",  "<think>", "</s>",
             "def x",         "="},
            30);
        CAPTURE(reply);
        auto const code = extract(reply, "x");
        if (!code)
            continue;
        ++found;
        CHECK(!stripped(*code).empty());
        CHECK(code->ends_with('\n'));
        CHECK(!code->ends_with("\n\n"));
        CHECK(without_white_space(reply).find(without_white_space(*code)) != std::string::npos);
    }
    CHECK(found > 100);
}

TEST_CASE("a fenced module comes out as it went in") {
    constexpr unsigned SEED = 4;
    CAPTURE(SEED);
    Source source(SEED);
    for (int round = 0; round < ROUNDS; ++round) {
        auto module = "x" + replaced(source.text({"\n", "    ", "def f():", "~~~", "`", "ü"}, 20), "\r", "");
        module = replaced(replaced(module, "```", ""), "</think>", "");
        module.resize(module.find_last_not_of('\n') + 1);
        module += '\n';
        CAPTURE(module);
        CHECK(extract("Here:\n\n```python\n" + module + "```\nDone.", "f") == module);
    }
}

TEST_CASE("feedback is short, is UTF-8 and does not hold the workspace path") {
    constexpr unsigned SEED = 5;
    CAPTURE(SEED);
    Source source(SEED);
    std::vector<std::string_view> const pieces = {"/w/x",
                                                  "/w/x/",
                                                  " in 0.12s",
                                                  " (0:01:05)",
                                                  " in ",
                                                  " at 0x7f",
                                                  "=",
                                                  " ",
                                                  "\n",
                                                  "\r\n",
                                                  "😀",
                                                  "1 failed",
                                                  "/pytest-of-me/pytest-7",
                                                  "/usr/lib/python3.11/os.py",
                                                  "lib/python3."};
    for (int round = 0; round < ROUNDS; ++round) {
        auto output = source.text(pieces, 20);
        for (auto doublings = source.below(9); doublings > 0; --doublings)
            output += output;
        auto const errors = source.text(pieces, 5);
        CAPTURE(output);
        auto const text = normalise(output, errors, "/w/x");
        CHECK(text.size() <= FEEDBACK_LIMIT_BYTES);
        CHECK(is_utf_8(text));
        CHECK(without_trailing_white_space(text) == text);
        // Where a duration is taken out, what was apart may look like the path.
        if ((output + errors).find(" in ") == std::string::npos)
            CHECK(text.find("/w/x") == std::string::npos);
    }
}

TEST_CASE("long output without line ends costs no stack") {
    std::string const signs(1'000'000, '=');
    CHECK(normalise(signs, "", "/w/x") == std::string(FEEDBACK_LIMIT_BYTES, '='));
    CHECK(judge(0, false, signs) == Verdict::no_summary);
    CHECK(!extract(signs, "f"));
    std::string const letters(1'000'000, 'a');
    CHECK(normalise(letters + " in 0.1s (" + letters, "", "/w/x") == std::string(FEEDBACK_LIMIT_BYTES, 'a'));
    CHECK(extract("```\n" + letters, "f") == letters + "\n");
}

TEST_CASE("what is long and repeats itself takes no longer than it is long") {
    auto const repeated = [](std::string const& text) {
        std::string result;
        while (result.size() < 200'000)
            result += text;
        return result;
    };
    for (std::string const text :
         {"<think>", "</think>", "<think></think>", "[THINK]<think>", "</s>", "<|", "<|a|>", "```\n",
          "```a\n```</s>", "~~~\n", "def ", "async ", "x =", " ", "\n", "\r", "\r\n", "`"}) {
        CAPTURE(text);
        auto const reply = repeated(text);
        CHECK(extract("```\nx = 1\n```\n" + reply, "x") == "x = 1\n");
        CHECK(!extract(reply + '\n', "x"));
    }
    CHECK(in_one_line(repeated("x \n")).size() < 200'000);
}

TEST_CASE("nothing passes without a summary") {
    constexpr unsigned SEED = 6;
    CAPTURE(SEED);
    Source source(SEED);
    for (int round = 0; round < ROUNDS; ++round) {
        auto const output =
            source.text({"1 passed", ", ", " in ", "0.1", "\n", "=== ", " ===", "1 failed", "\x1b[1m"}, 12);
        CAPTURE(output);
        bool const has_summary = output.find("passed in 0.1s") != std::string::npos;
        if (!has_summary)
            CHECK(judge(0, false, output) != Verdict::passed);
        CHECK(judge(0, true, output) == Verdict::timed_out);
        CHECK(judge(1, false, output) != Verdict::passed);
    }
}
