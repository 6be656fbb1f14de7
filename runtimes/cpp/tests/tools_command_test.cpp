#include "tools_command.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "temporary_folder.hpp"

using namespace agentloop;
using nlohmann::json;

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// The answers to lines of calls in a workspace.
std::vector<json> answers_to(TemporaryFolder const& workspace, std::string const& calls) {
    TemporaryFolder const folder;
    write_text(folder / "calls", calls);
    {
        File const in(std::fopen((folder / "calls").c_str(), "r"), std::fclose);
        File const out(std::fopen((folder / "answers").c_str(), "w"), std::fclose);
        CHECK(serve_tools(workspace.path(), in.get(), out.get()) == 0);
    }
    std::vector<json> answers;
    std::istringstream lines(text_of(folder / "answers"));
    for (std::string line; std::getline(lines, line);)
        answers.push_back(json::parse(line));
    return answers;
}

json answer_to(TemporaryFolder const& workspace, json const& call) {
    auto const answers = answers_to(workspace, call.dump() + "\n");
    REQUIRE(answers.size() == 1);
    return answers.front();
}

}  // namespace

TEST_CASE("calls are answered in order") {
    TemporaryFolder const workspace;
    auto const answers = answers_to(workspace, R"({"tool":"write_file","path":"a/ü.txt","content":"x\r\ny x"}
{"tool":"read_file","path":"a/ü.txt"}
{"tool":"list_dir","path":""}
{"tool":"list_dir","path":"a"}
{"tool":"search","text":"x","path":"."}
{"tool":"read_file","path":"nothing"})");
    CHECK(answers == std::vector<json>{
                         {{"result", nullptr}},
                         {{"result", "x\r\ny x"}},
                         {{"result", {"a/"}}},
                         {{"result", {"ü.txt"}}},
                         {{"result",
                           {{{"path", "a/ü.txt"}, {"line", 1}, {"text", "x"}},
                            {{"path", "a/ü.txt"}, {"line", 2}, {"text", "y x"}}}}},
                         {{"error", "nothing: No such file or directory"}},
                     });
}

TEST_CASE("bash is answered with all of its ending") {
    TemporaryFolder const workspace;
    json call = {{"tool", "bash"},
                 {"command", "printf 'a\\377'; printf b >&2; exit 7"},
                 {"env", {{"PATH", "/usr/bin:/bin"}}},
                 {"timeout_s", 60},
                 {"output_limit_bytes", 100}};
    CHECK(answer_to(workspace, call) == json{{"result",
                                              {{"stdout", "a\uFFFD"},
                                               {"stderr", "b"},
                                               {"exit_code", 7},
                                               {"signal", nullptr},
                                               {"timed_out", false}}}});
    call["command"] = "kill -9 $$";
    CHECK(
        answer_to(workspace, call) ==
        json{
            {"result",
             {{"stdout", ""}, {"stderr", ""}, {"exit_code", nullptr}, {"signal", 9}, {"timed_out", false}}}});
    call["command"] = std::string("a\0b", 3);
    CHECK(answer_to(workspace, call) ==
          json{{"error", "call: command is \"a\\u0000b\"; it must be a string without NUL"}});
    call["command"] = "true";
    call["timeout_s"] = 0;
    CHECK(answer_to(workspace, call) == json{{"error", "call: timeout_s is 0; it must be a number above 0"}});
}

TEST_CASE("lines that are no calls") {
    TemporaryFolder const workspace;
    auto const error = [&](std::string const& line) {
        auto const answers = answers_to(workspace, line + "\n" + R"({"tool":"list_dir","path":""})");
        REQUIRE(answers.size() == 2);
        CHECK(answers[1] == json{{"result", json::array()}});
        return answers[0].at("error").get<std::string>();
    };
    CHECK(error("").starts_with("call: is not JSON (parse error at line 1, column 1: "));
    CHECK(error("x\xFF").starts_with("call: is not JSON ("));
    CHECK(error("[]") == "call: holds []; write one JSON object there");
    CHECK(error("{}") == "call: tool is missing; it must be a string");
    CHECK(error(R"({"tool":"rm"})") ==
          "call: tool is \"rm\"; it must be write_file, read_file, list_dir, search or bash");
    CHECK(error(R"({"tool":"read_file","path":7})") == "call: path is 7; it must be a string");
    CHECK(error(R"({"tool":"write_file","path":"x"})") == "call: content is missing; it must be a string");
    CHECK(error(R"({"tool":"read_file","path":"../x"})") == "'../x': is not a path inside the workspace");
    CHECK(error(R"({"tool":"read_file","path":"a\nb"})") == "a b: No such file or directory");
}

TEST_CASE("names that are not UTF-8 are answered too") {
    TemporaryFolder const workspace;
    write_text(workspace / "\xFF.txt", "x");
    CHECK(answer_to(workspace, {{"tool", "list_dir"}, {"path", ""}}) == json{{"result", {"\uFFFD.txt"}}});
}

TEST_CASE("a workspace that is not there, and answers that nobody can take") {
    TemporaryFolder const workspace;
    write_text(workspace / "calls", R"({"tool":"list_dir","path":""})");
    File const in(std::fopen((workspace / "calls").c_str(), "r"), std::fclose);
    File const full(std::fopen("/dev/full", "w"), std::fclose);
    CHECK(serve_tools(workspace / "nothing", in.get(), full.get()) == 2);
    CHECK(serve_tools(workspace / "calls", in.get(), full.get()) == 2);
    CHECK(serve_tools(workspace.path(), in.get(), full.get()) == 1);
}
