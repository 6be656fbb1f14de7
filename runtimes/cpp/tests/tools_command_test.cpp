#include "tools_command.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "temporary_folder.hpp"

using namespace agentloop;

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// The answers to lines of calls in a workspace.
std::vector<std::string> answers_to(TemporaryFolder const& workspace, std::string const& calls) {
    TemporaryFolder const folder;
    write_text(folder / "calls", calls);
    {
        File const in(std::fopen((folder / "calls").c_str(), "r"), std::fclose);
        File const out(std::fopen((folder / "answers").c_str(), "w"), std::fclose);
        CHECK(serve_tools(workspace.path(), in.get(), out.get()) == 0);
    }
    std::vector<std::string> answers;
    std::istringstream lines(text_of(folder / "answers"));
    for (std::string line; std::getline(lines, line);)
        answers.push_back(line);
    return answers;
}

std::string answer_to(TemporaryFolder const& workspace, std::string const& call) {
    auto const answers = answers_to(workspace, call + "\n");
    REQUIRE(answers.size() == 1);
    return answers.front();
}

/// The answer to a call of bash with these fields.
std::string answer_of_bash(std::string const& command, std::string const& timeout_s = "60") {
    TemporaryFolder const workspace;
    return answer_to(workspace, R"({"tool":"bash","command":")" + command +
                                    R"(","env":{"PATH":"/usr/bin:/bin"},)" + R"("timeout_s":)" + timeout_s +
                                    R"(,"output_limit_bytes":100})");
}

}  // namespace

TEST_CASE("calls are answered in order") {
    TemporaryFolder const workspace;
    CHECK(
        answers_to(workspace, R"({"tool":"write_file","path":"a/ü.txt","content":"x\r\ny x"}
{"tool":"read_file","path":"a/ü.txt"}
{"tool":"list_dir","path":""}
{"tool":"list_dir","path":"a"}
{"tool":"search","text":"x","path":"."}
{"tool":"read_file","path":"nothing"})") ==
        std::vector<std::string>{
            R"({"result":null})",
            R"({"result":"x\r\ny x"})",
            R"({"result":["a/"]})",
            R"({"result":["ü.txt"]})",
            R"({"result":[{"line":1,"path":"a/ü.txt","text":"x"},{"line":2,"path":"a/ü.txt","text":"y x"}]})",
            R"({"error":"nothing: No such file or directory"})",
        });
}

TEST_CASE("bash is answered with all of its ending") {
    CHECK(answer_of_bash(R"(printf 'a\\377'; printf b >&2; exit 7)") ==
          R"({"result":{"exit_code":7,"signal":null,"stderr":"b","stdout":"a�","timed_out":false}})");
    CHECK(answer_of_bash("kill -9 $$") ==
          R"({"result":{"exit_code":null,"signal":9,"stderr":"","stdout":"","timed_out":false}})");
    CHECK(answer_of_bash(R"(a\u0000b)") ==
          R"({"error":"call: command is \"a\\u0000b\"; it must be a string without NUL"})");
    CHECK(answer_of_bash("true", "0") == R"({"error":"call: timeout_s is 0; it must be a number above 0"})");
}

TEST_CASE("lines that are no calls") {
    TemporaryFolder const workspace;
    auto const error = [&](std::string const& line) {
        auto const answers = answers_to(workspace, line + "\n" + R"({"tool":"list_dir","path":""})");
        REQUIRE(answers.size() == 2);
        CHECK(answers[1] == R"({"result":[]})");
        return answers[0];
    };
    CHECK(error("").starts_with(R"({"error":"call: is not JSON (parse error at line 1, column 1: )"));
    CHECK(error("x\xFF").starts_with(R"({"error":"call: is not JSON ()"));
    CHECK(error("[]") == R"({"error":"call: holds []; write one JSON object there"})");
    CHECK(error("{}") == R"({"error":"call: tool is missing; it must be a string"})");
    CHECK(error(R"({"tool":"rm"})") ==
          R"({"error":"call: tool is \"rm\"; it must be write_file, read_file, list_dir, search or bash"})");
    CHECK(error(R"({"tool":"read_file","path":7})") == R"({"error":"call: path is 7; it must be a string"})");
    CHECK(error(R"({"tool":"write_file","path":"x"})") ==
          R"({"error":"call: content is missing; it must be a string"})");
    CHECK(error(R"({"tool":"read_file","path":"../x"})") ==
          R"({"error":"'../x': is not a path inside the workspace"})");
    CHECK(error(R"({"tool":"read_file","path":"a\nb"})") == R"({"error":"a b: No such file or directory"})");
}

TEST_CASE("names that are not UTF-8 are answered too") {
    TemporaryFolder const workspace;
    write_text(workspace / "\xFF.txt", "x");
    CHECK(answer_to(workspace, R"({"tool":"list_dir","path":""})") == R"({"result":["�.txt"]})");
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
