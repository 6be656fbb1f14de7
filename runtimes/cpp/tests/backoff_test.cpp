#include "backoff.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace agentloop;

TEST_CASE("Retry-After of any length") {
    std::string const zeros(100'000, '0');
    CHECK(retry_after_s(zeros + "7", 0) == 7);
    CHECK(retry_after_s("9" + zeros, 0) == 1e12);
    CHECK(retry_after_s("0." + zeros + "1", 0) == 0);
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
