#include "scanner.hpp"

namespace agentloop {
namespace {

/// The hours, minutes and seconds that pytest adds to a duration of more than a minute.
bool take_clock_time(Scanner& scanner) {
    auto const belongs = [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || c == ',' || c == ':' || c == ' ';
    };
    auto ahead = scanner;
    if (!ahead.take(" (") || ahead.take_while(belongs) == 0 || !ahead.take(")"))
        return false;
    scanner = ahead;
    return true;
}

}  // namespace

bool take_duration(Scanner& scanner) {
    auto ahead = scanner;
    if (!ahead.take(" in ") || ahead.take_while(is_digit) == 0 || !ahead.take(".") ||
        ahead.take_while(is_digit) == 0 || !ahead.take("s"))
        return false;
    take_clock_time(ahead);
    scanner = ahead;
    return true;
}

}  // namespace agentloop
