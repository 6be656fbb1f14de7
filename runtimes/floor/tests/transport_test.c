// What to wait before another try, where to connect to, and what of an answer may be shown.

#include "transport.h"

#include "check.h"
#include "endpoint.h"

static time_t const NOW = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT

static double asked(char const *value) {
    name_case("Retry-After", slice_of(value));
    return retry_after_s(slice_of(value), NOW);
}

static void test_retry_after(void) {
    CHECK(asked("3") == 3);
    CHECK(asked("1.5") == 1.5);
    CHECK(asked("123456789012345678901234") == 1e9);
    CHECK(asked("Sun, 06 Nov 1994 08:49:47 GMT") == 10);
    CHECK(asked("Sunday, 06-Nov-94 08:49:47 GMT") == 10);
    CHECK(asked("Sun Nov  6 08:49:47 1994") == 10);
    CHECK(asked("Sun, 06 Nov 1994 08:49:27 GMT") == 0);
    char const *const nonsense[] = {"", "-3", "3 s", "1e3", "inf", "soon", "3.", ".5"};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; ++i)
        CHECK(asked(nonsense[i]) == 0);
}

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

static void check_url(char const *url, bool usable, char const *head) {
    struct endpoint endpoint = {0};
    name_case("base_url", slice_of(url));
    CHECK(endpoint_read_url(&endpoint, slice_of(url)) == usable);
    if (usable) {
        struct slice const found = buffer_slice(&endpoint.request_head);
        CHECK_TEXT(slice_first(found, slice_find(found, SLICE("\r\nAccept"))), slice_of(head));
    }
    endpoint_free(&endpoint);
}

static void test_urls(void) {
    check_url("http://localhost/v1", true, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost");
    check_url("http://[::1]:80/~a/v1//", true, "POST /~a/v1/chat/completions HTTP/1.1\r\nHost: [::1]:80");
    check_url("http://a-b.example:8000", true, "POST /chat/completions HTTP/1.1\r\nHost: a-b.example:8000");
    char const *const refused[] = {"",
                                   "https://a/v1",
                                   "http://",
                                   "http:///v1",
                                   "http://:80/v1",
                                   "http://a:b",
                                   "http://a:99999",
                                   "http://a b",
                                   "http://[::1",
                                   "http://a/v1?x",
                                   "http://a..b/v1"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i)
        check_url(refused[i], false, "");
}

static void check_presentable(char const *said, char const *expected) {
    struct endpoint endpoint = {0};
    struct buffer reason = {0};
    name_case("presentable", slice_of(said));
    CHECK(endpoint_set_key(&endpoint, SLICE("se cr\"et")));
    endpoint_append_presentable(&endpoint, slice_of(said), &reason);
    CHECK_TEXT(buffer_slice(&reason), slice_of(expected));
    buffer_free(&reason);
    endpoint_free(&endpoint);
}

static void test_presentable(void) {
    check_presentable("key se cr\"et,\r\n\t in JSON se cr\\\"et", "key ***, in JSON ***");
    check_presentable("cut: se cr…", "cut: ***…");
    check_presentable("\xff", "\xef\xbf\xbd");
    struct endpoint endpoint = {0};
    CHECK(!endpoint_set_key(&endpoint, SLICE("a\r\nb")));
    endpoint_free(&endpoint);
}

void test_transport(void) {
    test_retry_after();
    test_backoff();
    test_urls();
    test_presentable();
}
