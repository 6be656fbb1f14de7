#include "verdict.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "scanner.hpp"
#include "text.hpp"

namespace agentloop {
namespace {

using std::string_view;

/// What a summary of pytest says.
struct Summary {
    bool passed = false;   ///< At least one test passed.
    bool failed = false;   ///< At least one failed, or could not be run.
    bool unclear = false;  ///< Something is counted besides what passed, failed or was warned about.
};

template <char First, char Last>
bool is_between(char c) {
    return c >= First && c <= Last;
}

bool take_escape_sequence(Scanner& scanner) {
    auto ahead = scanner;
    if (!ahead.take("\x1b["))
        return false;
    ahead.take_while(is_between<'0', '?'>);
    ahead.take_while(is_between<' ', '/'>);
    if (ahead.take_while(is_between<'@', '~'>, 1) == 0)
        return false;
    scanner = ahead;
    return true;
}

std::string without_escape_sequences(string_view line) {
    std::string result;
    for (Scanner scanner(line); !scanner.at_end();)
        if (!take_escape_sequence(scanner)) {
            result += scanner.rest().front();
            scanner.skip();
        }
    return result;
}

bool take_count(Scanner& scanner, Summary& summary) {
    constexpr std::array<string_view, 12> NAMES = {"passed",   "failed",  "error",   "errors",
                                                   "skipped",  "xfailed", "xpassed", "warning",
                                                   "warnings", "rerun",   "reruns",  "deselected"};
    auto const zeros = scanner.take_while([](char c) { return c == '0'; });
    bool const is_positive = scanner.take_while(is_digit) > 0;
    if ((zeros == 0 && !is_positive) || !scanner.take(" "))
        return false;
    auto const name = scanner.rest().substr(0, scanner.rest().find_first_of(", "));
    if (std::find(NAMES.begin(), NAMES.end(), name) == NAMES.end())
        return false;
    scanner.take(name);
    if (name == "passed")
        summary.passed |= is_positive;
    else if (name == "failed" || name.starts_with("error"))
        (is_positive ? summary.failed : summary.unclear) = true;
    else if (!name.starts_with("warning"))
        summary.unclear = true;
    return true;
}

bool take_counts(Scanner& scanner, Summary& summary) {
    if (scanner.take("no tests ran"))
        return true;
    do
        if (!take_count(scanner, summary))
            return false;
    while (scanner.take(", "));
    return true;
}

bool take_equals_signs(Scanner& scanner) {
    return scanner.take_while([](char c) { return c == '='; }) > 0;
}

/// What a line says, if as a whole it is a summary.
std::optional<Summary> summary_in(string_view line) {
    Scanner scanner(line);
    if (take_equals_signs(scanner) && !scanner.take(" "))
        return std::nullopt;
    Summary summary;
    if (!take_counts(scanner, summary) || !take_duration(scanner))
        return std::nullopt;
    if (scanner.take(" ") && !take_equals_signs(scanner))
        return std::nullopt;
    return scanner.at_end() ? std::optional(summary) : std::nullopt;
}

std::optional<Summary> last_summary(string_view output) {
    for (;;) {
        auto const begin = output.rfind('\n') + 1;  // Of npos + 1, which is 0, the first line.
        auto const line = without_escape_sequences(output.substr(begin));
        if (auto const summary = summary_in(without_trailing_white_space(line)))
            return summary;
        if (begin == 0)
            return std::nullopt;
        output = output.substr(0, begin - 1);
    }
}

}  // namespace

string_view name(Verdict verdict) {
    switch (verdict) {
        case Verdict::passed:
            return "passed";
        case Verdict::failed:
            return "failed";
        case Verdict::unproven:
            return "unproven";
        case Verdict::no_summary:
            return "no_summary";
        case Verdict::timed_out:
            return "timed_out";
        case Verdict::no_code:
            return "no_code";
        case Verdict::error:
            return "error";
        case Verdict::interrupted:
            return "interrupted";
    }
    return {};
}

Verdict judge(std::optional<int> exit_code, bool timed_out, string_view output) {
    if (timed_out)
        return Verdict::timed_out;
    auto const summary = last_summary(output);
    if (!summary)
        return Verdict::no_summary;
    if (summary->failed)
        return Verdict::failed;
    if (!summary->passed || summary->unclear)
        return Verdict::unproven;
    return exit_code == 0 ? Verdict::passed : Verdict::failed;
}

}  // namespace agentloop
