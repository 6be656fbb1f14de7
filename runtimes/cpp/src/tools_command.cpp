#include "tools_command.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "canonical.hpp"
#include "errors.hpp"
#include "fields.hpp"
#include "line_reader.hpp"
#include "log.hpp"
#include "text.hpp"
#include "tools.hpp"

namespace agentloop {
namespace {

/// Text of any bytes as JSON, which may not hold them all.
std::string as_json(std::string_view bytes) {
    std::string json;
    append_quoted(json, decoded(bytes));
    return json;
}

/// A list of what `shown` makes of its elements.
template <typename Element, typename Shown>
std::string list(std::vector<Element> const& elements, Shown shown) {
    std::string json = "[";
    for (auto const& element : elements)
        json.append(json.size() > 1 ? "," : "").append(shown(element));
    return json + ']';
}

std::string match(SearchMatch const& match) {
    return R"({"line":)" + std::to_string(match.line) + R"(,"path":)" + as_json(match.path) + R"(,"text":)" +
           as_json(match.text) + '}';
}

std::string or_null(std::optional<int> number) {
    return number ? std::to_string(*number) : "null";
}

std::string ending(Finished const& finished) {
    return R"({"exit_code":)" + or_null(finished.exit_code) + R"(,"signal":)" + or_null(finished.signal) +
           R"(,"stderr":)" + as_json(finished.errors) + R"(,"stdout":)" + as_json(finished.output) +
           R"(,"timed_out":)" + (finished.timed_out ? "true" : "false") + '}';
}

/// What a call comes to, as JSON.
std::string result(ToolDispatcher const& tools, Fields const& call) {
    auto const tool = call.text("tool");
    if (tool == "write_file") {
        tools.write_file(call.text("path"), call.text("content"));
        return "null";
    }
    if (tool == "read_file")
        return as_json(tools.read_file(call.text("path")));
    if (tool == "list_dir")
        return list(tools.list_dir(call.text("path")), as_json);
    if (tool == "search")
        return list(tools.search(call.text("text"), call.text("path")), match);
    if (tool == "bash")
        return ending(tools.bash(call.argument("command"), call.environment("env"),
                                 call.positive("timeout_s"),
                                 static_cast<std::size_t>(call.integer("output_limit_bytes", 1))));
    throw call.invalid("tool", "write_file, read_file, list_dir, search or bash");
}

std::string answer(ToolDispatcher const& tools, std::string_view line) {
    try {
        return R"({"result":)" + result(tools, Fields::of_text("call", line)) + '}';
    } catch (std::exception const& failure) {
        return R"({"error":)" + as_json(in_one_line(decoded(failure.what()))) + '}';
    }
}

}  // namespace

int serve_tools(std::string const& folder, std::FILE* calls, std::FILE* answers) {
    std::error_code failure;
    auto const workspace = std::filesystem::canonical(folder, failure);
    if (failure || !std::filesystem::is_directory(workspace)) {
        log_line(folder + " is no folder; name one that is there");
        return 2;
    }
    ToolDispatcher const tools(workspace);
    LineReader lines(calls);
    while (auto const line = lines.next()) {
        auto const text = answer(tools, *line) + '\n';
        if (std::fwrite(text.data(), 1, text.size(), answers) != text.size() || std::fflush(answers) != 0) {
            log_line("the answer cannot be written; read it as long as there are calls");
            return 1;
        }
    }
    return 0;
}

}  // namespace agentloop
