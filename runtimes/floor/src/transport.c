#include "transport.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { LONGEST_DATE = 64, MOST_DOUBLINGS = 64 };

static double const LONGEST_S = 1e9;

bool is_retryable(int status) {
    return status == 408 || status == 429 || (status >= 500 && status < 600);
}

double backoff_s(struct transport const *transport, int64_t failures_before) {
    uint32_t random = 0;
    while (getrandom(&random, sizeof random, 0) != sizeof random) {
    }
    // The exponent is bounded because the double is not.
    int const doublings = failures_before < MOST_DOUBLINGS ? (int)failures_before : MOST_DOUBLINGS;
    return fmin(transport->cap_s, ldexp(transport->base_s, doublings)) * ((double)random / UINT32_MAX);
}

/// Whether it is digits, and perhaps a point and digits.
static bool is_number_of_seconds(struct slice value) {
    if (take_while(&value, is_digit) == 0)
        return false;
    return value.size == 0 ||
           (take(&value, SLICE(".")) && take_while(&value, is_digit) > 0 && value.size == 0);
}

double retry_after_s(struct slice value, time_t now) {
    static char const *const FORMS[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};
    char text[LONGEST_DATE];
    if (is_number_of_seconds(value))
        return fmin(strtod(value.bytes, NULL), LONGEST_S);
    if (value.size >= sizeof text)
        return 0;
    snprintf(text, sizeof text, "%.*s", (int)value.size, value.bytes);
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; ++i) {
        struct tm date = {0};
        char const *const end = strptime(text, FORMS[i], &date);
        if (end != NULL && *end == '\0')
            return fmin(fmax(difftime(timegm(&date), now), 0), LONGEST_S);
    }
    return 0;
}
