#include "backoff.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>

#include "scanner.hpp"
#include "text.hpp"

namespace agentloop {

namespace {

constexpr std::array<std::string_view, 7> DAYS = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> LONG_DAYS = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                       "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> MONTHS = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Reads dates in the forms that `strptime` knows, but only those that exist.
class DateScanner {
  public:
    DateScanner(std::string_view text, std::chrono::sys_seconds now) : scanner_(text), now_(now) {}

    /// The date that all of the text is in this form, or none.
    std::optional<std::chrono::sys_seconds> read(std::string_view form) {
        for (std::size_t i = 0; i < form.size(); ++i)
            if (!(form[i] == '%' ? take_field(form[++i]) : scanner_.take(form.substr(i, 1))))
                return std::nullopt;
        std::chrono::year_month_day const date{std::chrono::year(year_), std::chrono::month(month_),
                                               std::chrono::day(day_)};
        return scanner_.at_end() && date.ok() ? std::optional(std::chrono::sys_days(date) + time_)
                                              : std::nullopt;
    }

  private:
    bool take_field(char field) {
        switch (field) {
            case 'a':
                return index_of(DAYS).has_value();
            case 'A':
                return index_of(LONG_DAYS).has_value();
            case 'b': {
                auto const month = index_of(MONTHS);
                month_ = month.value_or(0) + 1;
                return month.has_value();
            }
            case 'd':
                return take_number(2, day_);
            case 'e':  // A day of one digit has a space in front.
                return take_number(scanner_.take(" ") ? 1 : 2, day_);
            case 'T':
                return take_time();
            case 'Y':
                return take_number(4, year_);
            default:
                return take_short_year();
        }
    }

    /// Takes the last two digits of the latest year that is not too far ahead.
    bool take_short_year() {
        constexpr int MOST_YEARS_AHEAD = 50;
        auto const today = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(now_));
        int const latest = static_cast<int>(today.year()) + MOST_YEARS_AHEAD;
        if (!take_number(2, year_))
            return false;
        year_ = latest - (latest - year_) % 100;
        return true;
    }

    bool take_time() {
        int hour = 0, minute = 0, second = 0;
        bool const is_there = take_number(2, hour) && scanner_.take(":") && take_number(2, minute) &&
                              scanner_.take(":") && take_number(2, second);
        time_ = std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
        return is_there && hour < 24 && minute < 60 && second < 60;
    }

    template <std::size_t Count>
    std::optional<unsigned> index_of(std::array<std::string_view, Count> const& names) {
        auto const found = std::ranges::find_if(names, [&](auto name) { return scanner_.take(name); });
        return found == names.end() ? std::nullopt
                                    : std::optional(static_cast<unsigned>(found - names.begin()));
    }

    template <typename Number>
    bool take_number(std::size_t digits, Number& number) {
        auto const text = scanner_.rest().substr(0, digits);
        if (scanner_.take_while(is_digit, digits) != digits)
            return false;
        std::from_chars(text.data(), text.data() + digits, number);
        return true;
    }

    Scanner scanner_;
    std::chrono::sys_seconds now_;
    int year_ = 0;
    unsigned month_ = 0;
    unsigned day_ = 0;
    std::chrono::seconds time_{0};
};

/// The time that an HTTP date names, in one of its three forms.
std::optional<std::chrono::sys_seconds> http_date(std::string_view text, std::chrono::sys_seconds now) {
    for (std::string_view const form : {"%a, %d %b %Y %T GMT", "%A, %d-%b-%y %T GMT", "%a %b %e %T %Y"})
        if (auto const date = DateScanner(text, now).read(form))
            return date;
    return std::nullopt;
}

/// Digits, and perhaps a point and more digits.
bool is_number(std::string_view text) {
    Scanner scanner(text);
    if (scanner.take_while(is_digit) == 0 || (scanner.take(".") && scanner.take_while(is_digit) == 0))
        return false;
    return scanner.at_end();
}

}  // namespace

double backoff_s(TransportRetries const& transport, std::int64_t failures_before, std::minstd_rand& random) {
    // The exponent is bounded because the double is not.
    auto const exponent = static_cast<int>(std::min<std::int64_t>(failures_before, 64));
    double const bound_s = std::min(transport.cap_s, std::ldexp(transport.base_s, exponent));
    return bound_s * std::generate_canonical<double, 53>(random);
}

double retry_after_s(std::string_view value, std::time_t now) {
    constexpr double LONGEST_S = 1e12;
    value = stripped(value);
    // Unlike std::from_chars, strtod has a value for what is beyond a double, at both ends.
    if (is_number(value))
        return std::min(std::strtod(std::string(value).c_str(), nullptr), LONGEST_S);
    std::chrono::sys_seconds const at{std::chrono::seconds(now)};
    auto const date = http_date(value, at);
    return date && *date > at ? static_cast<double>((*date - at).count()) : 0;
}

}  // namespace agentloop
