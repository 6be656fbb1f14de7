#include "tools_command.hpp"

#include <filesystem>

#include "canonical.hpp"
#include "errors.hpp"
#include "fields.hpp"
#include "line_reader.hpp"
#include "log.hpp"
#include "text.hpp"
#include "tools.hpp"

namespace agentloop {
namespace {

using nlohmann::json;

/// Paths and outputs may hold any bytes, and JSON may not.
json text(std::string_view bytes) {
    return decoded(bytes);
}

json shown(std::vector<SearchMatch> const& matches) {
    auto result = json::array();
    for (auto const& match : matches)
        result.push_back({{"path", text(match.path)}, {"line", match.line}, {"text", text(match.text)}});
    return result;
}

json names(std::vector<std::string> const& names) {
    auto list = json::array();
    for (auto const& name : names)
        list.push_back(text(name));
    return list;
}

json or_null(std::optional<int> number) {
    return number ? json(*number) : json();
}

json ending(Finished const& finished) {
    return {
        {"stdout", text(finished.output)},          {"stderr", text(finished.errors)},
        {"exit_code", or_null(finished.exit_code)}, {"signal", or_null(finished.signal)},
        {"timed_out", finished.timed_out},
    };
}

json result(ToolDispatcher const& tools, Fields const& call) {
    auto const tool = call.text("tool");
    if (tool == "write_file") {
        tools.write_file(call.text("path"), call.text("content"));
        return nullptr;
    }
    if (tool == "read_file")
        return tools.read_file(call.text("path"));
    if (tool == "list_dir")
        return names(tools.list_dir(call.text("path")));
    if (tool == "search")
        return shown(tools.search(call.text("text"), call.text("path")));
    if (tool == "bash")
        return ending(tools.bash(call.argument("command"), call.environment("env"),
                                 call.positive("timeout_s"),
                                 static_cast<std::size_t>(call.integer("output_limit_bytes", 1))));
    throw call.invalid("tool", "write_file, read_file, list_dir, search or bash");
}

json answer(ToolDispatcher const& tools, std::string_view line) {
    try {
        return {{"result", result(tools, Fields::of_text("call", line))}};
    } catch (std::exception const& failure) {
        return {{"error", in_one_line(decoded(failure.what()))}};
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
        auto const text = canonical(answer(tools, *line)) + '\n';
        if (std::fwrite(text.data(), 1, text.size(), answers) != text.size() || std::fflush(answers) != 0) {
            log_line("the answer cannot be written; read it as long as there are calls");
            return 1;
        }
    }
    return 0;
}

}  // namespace agentloop
