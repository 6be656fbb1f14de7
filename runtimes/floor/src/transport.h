#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <time.h>

#include "slice.h"

// When a try that failed is made again: CONTRACT.md, "Transport".

struct transport {
    int64_t max_retries;
    double base_s;
    double cap_s;
};

bool is_retryable(int status);
/// Full jitter: a random time between 0 and a bound that doubles with every failure.
double backoff_s(struct transport const *transport, int64_t failures_before);
/// How many seconds a Retry-After header asks to wait from `now` on; 0 without sense.
///
/// Source: RFC 9110, sections 5.6.7 and 10.2.3.
double retry_after_s(struct slice value, time_t now);

#endif
