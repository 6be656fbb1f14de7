#include "backoff.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace agentloop;

TEST_CASE("Retry-After is a number of seconds or a date in any of the three forms") {
    // Sun, 06 Nov 1994 08:48:37 GMT
    constexpr std::time_t NOW = 784111717;
    CHECK(retry_after_s("7", NOW) == 7);
    CHECK(retry_after_s(" 0.25 ", NOW) == 0.25);
    CHECK(retry_after_s(std::string(99, '9'), NOW) == 1e9);
    CHECK(retry_after_s("Sun, 06 Nov 1994 08:49:37 GMT", NOW) == 60);
    CHECK(retry_after_s("Sunday, 06-Nov-94 08:49:37 GMT", NOW) == 60);
    CHECK(retry_after_s("Sun Nov  6 08:49:37 1994", NOW) == 60);
    for (auto const* const senseless :
         {"", "-7", "1e3", "soon", "nan", "-inf", "infinity", "7 s", "Sun, 06 Nov 1994 08:48:00 GMT", "Fri, 31 Dec 99999 23:59:59 GMT",
          "Sun, 99 Nov 1994 99:99:99 GMT"})
        CHECK(retry_after_s(senseless, NOW) == 0);
}

TEST_CASE("the bound of the backoff doubles up to its cap, and all below it is drawn") {
    std::minstd_rand random(7);
    TransportRetries const transport{100, 0.5, 4};
    double const bounds_s[] = {0.5, 1, 2, 4, 4, 4};
    for (std::int64_t failures = 0; failures < 6; ++failures) {
        std::vector<double> drawn_s;
        for (int draw = 0; draw < 1000; ++draw)
            drawn_s.push_back(backoff_s(transport, failures, random));
        auto const [least, most] = std::ranges::minmax(drawn_s);
        CHECK(least >= 0);
        CHECK(least < bounds_s[failures] * 0.05);
        CHECK(most > bounds_s[failures] * 0.95);
        CHECK(most <= bounds_s[failures]);
    }
    CHECK(backoff_s({9, 1e300, 1e300}, 9'000'000'000'000'000'000, random) <= 1e300);
    CHECK(backoff_s({9, 0, 30}, 1000, random) == 0);
}
