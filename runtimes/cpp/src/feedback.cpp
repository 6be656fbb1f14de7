#include "feedback.hpp"

#include <algorithm>

#include "scanner.hpp"
#include "text.hpp"

namespace agentloop {
namespace {

using std::string_view;

bool is_white_space(char c) {
    return WHITE_SPACE.find(c) != string_view::npos;
}

/// `text` with `by` in place of everything that `take` takes, which begins with `beginning`.
template <typename Take>
std::string with_each_replaced(string_view text, string_view beginning, Take take, string_view by) {
    std::string result;
    while (!text.empty()) {
        auto const at = std::min(text.find(beginning), text.size());
        result += text.substr(0, at);
        text.remove_prefix(at);
        Scanner scanner(text);
        if (take(scanner)) {
            result += by;
            text = scanner.rest();
        } else if (!text.empty()) {
            result += text.front();
            text.remove_prefix(1);
        }
    }
    return result;
}

/// Where the duration begins that `text` ends in, or npos.
std::size_t final_duration(string_view text) {
    auto begin = text.rfind(" in ");
    while (begin != string_view::npos) {
        Scanner scanner(text.substr(begin));
        if (take_duration(scanner) && scanner.at_end())
            break;
        begin = begin == 0 ? string_view::npos : text.rfind(" in ", begin - 1);
    }
    return begin;
}

/// The text of a line with a duration at its end and `=`s around it; any other line as it is.
string_view without_rules(string_view line) {
    Scanner scanner(line);
    if (scanner.take_while([](char c) { return c == '='; }) == 0 || !scanner.take(" "))
        return line;
    auto const inner = scanner.rest();
    auto const before_rule = inner.find_last_not_of('=');
    if (before_rule == string_view::npos || before_rule + 1 == inner.size() || inner[before_rule] != ' ')
        return line;
    auto const duration = final_duration(inner.substr(0, before_rule));
    return duration == string_view::npos ? line : inner.substr(0, duration);
}

/// pytest fills its summary to the width of the screen, so that how many `=`s there are depends on the
/// duration.
std::string without_all_rules(string_view text) {
    std::string result;
    for (auto end = text.find('\n'); end != string_view::npos; end = text.find('\n')) {
        result.append(without_rules(text.substr(0, end))).push_back('\n');
        text.remove_prefix(end + 1);
    }
    return result.append(without_rules(text));
}

bool take_address(Scanner& scanner) {
    return scanner.take(" at 0x") && scanner.take_while(is_hexadecimal) > 0;
}

bool take_temporary_folder(Scanner& scanner) {
    auto const is_of_name = [](char c) { return c != '/' && !is_white_space(c); };
    return scanner.take("/pytest-of-") && scanner.take_while(is_of_name) > 0 && scanner.take("/pytest-") &&
           scanner.take_while(is_digit) > 0;
}

/// What follows the last `/lib/python3.N/` of a path, or npos.
std::size_t after_standard_library(string_view path) {
    constexpr string_view LIBRARY = "/lib/python3.";
    for (auto at = path.rfind(LIBRARY); at != string_view::npos; at = path.rfind(LIBRARY, at - 1)) {
        Scanner scanner(path.substr(at + LIBRARY.size()));
        if (scanner.take_while(is_digit) > 0 && scanner.take("/"))
            return path.size() - scanner.rest().size();
        if (at == 0)
            break;
    }
    return string_view::npos;
}

/// `text` with every path of the standard library relative to where Python is installed.
std::string with_relative_library(string_view text) {
    constexpr string_view BEFORE_A_PATH = " \t\n\r\v\f'\"(";
    std::string result;
    while (!text.empty()) {
        auto const path = text.substr(0, text.find_first_of(BEFORE_A_PATH));
        auto const kept = after_standard_library(path);
        if (kept == string_view::npos)
            result += path;
        else
            result.append("lib/python3/").append(path.substr(kept));
        auto const after = std::min(path.size() + 1, text.size());
        result += text.substr(path.size(), after - path.size());
        text.remove_prefix(after);
    }
    return result;
}

/// The last `limit` bytes of `text`, less a character that is cut at their start.
std::string_view end_of(string_view text, std::size_t limit) {
    if (text.size() <= limit)
        return text;
    text.remove_prefix(text.size() - limit);
    auto const continues = [](char c) { return (c & 0xC0) == 0x80; };
    while (!text.empty() && continues(text.front()))
        text.remove_prefix(1);
    return text;
}

}  // namespace

// The steps and their order are those of runtimes/contract/vectors/README.md.
std::string normalise(string_view output, string_view errors, string_view workspace) {
    std::string text(output);
    if (!output.empty() && !errors.empty())
        text += '\n';
    text = decoded(text.append(errors));
    text = replaced(text, "\r\n", "\n");
    text = replaced(text, std::string(workspace) + '/', "");
    text = replaced(text, workspace, ".");
    text = without_all_rules(text);
    text = with_each_replaced(text, " in ", take_duration, "");
    text = with_each_replaced(text, " at 0x", take_address, " at 0x0");
    text = with_each_replaced(text, "/pytest-of-", take_temporary_folder, "/pytest");
    text = with_relative_library(text);
    return std::string(end_of(without_trailing_white_space(text), FEEDBACK_LIMIT_BYTES));
}

}  // namespace agentloop
