// What to wait before another try, and what the vectors do not say of where to connect to and what may be
// shown.

#include "transport.h"

#include "check.h"
#include "endpoint.h"

static void test_backoff(void) {
    struct transport const transport = {.base_s = 0.5, .cap_s = 3};
    static double const BOUNDS[] = {0.5, 1, 2, 3, 3};
    name_case("backoff", SLICE("bounds"));
    for (int64_t failures = 0; failures < 5; ++failures) {
        double least = 10, most = 0;
        for (int i = 0; i < 1000; ++i) {
            double const pause = backoff_s(&transport, failures);
            least = pause < least ? pause : least;
            most = pause > most ? pause : most;
        }
        CHECK(least >= 0 && least < BOUNDS[failures] * 0.1);
        CHECK(most <= BOUNDS[failures] && most > BOUNDS[failures] * 0.9);
    }
    CHECK(backoff_s(&transport, INT64_MAX) <= 3);
}

static void test_hosts(void) {
    char const *const refused[] = {"http://a..b/v1", "http://.a/v1", "http://[1.2.3.4]/v1", "http://h/a\\b"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
        struct endpoint endpoint = {0};
        name_case("base_url", slice_of(refused[i]));
        CHECK(!endpoint_read_url(&endpoint, slice_of(refused[i])));
        endpoint_free(&endpoint);
    }
}

static void test_reasons(void) {
    struct endpoint endpoint = {0};
    struct buffer reason = {0};
    name_case("reason", SLICE("what is not UTF-8"));
    endpoint_append_presentable(&endpoint, SLICE("\xff"), &reason);
    CHECK_TEXT(buffer_slice(&reason), SLICE("\xef\xbf\xbd"));
    name_case("key", SLICE("line end"));
    CHECK(!endpoint_set_key(&endpoint, SLICE("a\r\nb")));
    buffer_free(&reason);
    endpoint_free(&endpoint);
}

void test_transport(void) {
    test_backoff();
    test_hosts();
    test_reasons();
}
