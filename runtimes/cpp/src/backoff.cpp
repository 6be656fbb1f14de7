#include "backoff.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "text.hpp"

namespace agentloop {

namespace {

/// The time that an HTTP date names, in one of its three forms.
std::optional<std::time_t> http_date(std::string const& text) {
    for (char const* const form :
         {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
        std::tm date{};
        char const* const end = strptime(text.c_str(), form, &date);
        if (end && *end == '\0')
            return timegm(&date);
    }
    return std::nullopt;
}

}  // namespace

double backoff_s(TransportRetries const& transport, std::int64_t failures_before, std::minstd_rand& random) {
    // The exponent is bounded because the double is not.
    auto const exponent = static_cast<int>(std::min<std::int64_t>(failures_before, 64));
    double const bound_s = std::min(transport.cap_s, std::ldexp(transport.base_s, exponent));
    return bound_s * std::generate_canonical<double, 53>(random);
}

double retry_after_s(std::string_view value, std::time_t now) {
    constexpr double LONGEST_S = 1e9;
    value = stripped(value);
    double seconds = 0;
    auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    // Neither an exponent nor infinity is what HTTP calls a number.
    bool const is_number = error == std::errc() && end == value.data() + value.size() &&
                           value.find_first_not_of("0123456789.") == std::string_view::npos;
    if (!is_number)
        seconds = std::difftime(http_date(std::string(value)).value_or(now), now);
    return seconds > 0 ? std::min(seconds, LONGEST_S) : 0;
}

}  // namespace agentloop
