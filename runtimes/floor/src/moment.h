#ifndef MOMENT_H
#define MOMENT_H

#include <stdint.h>
#include <time.h>

/// Nanoseconds of CLOCK_MONOTONIC, as in the events.
typedef int64_t moment;

/// A moment that does not come; half of what fits, so that sums of two durations still do.
#define NEVER (INT64_MAX / 2)
#define NS_PER_S INT64_C(1000000000)

static inline moment now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (moment)time.tv_sec * NS_PER_S + time.tv_nsec;
}

/// The moment `seconds` after `start`, or NEVER where that is beyond all bounds.
static inline moment moment_after(moment start, double seconds) {
    return seconds < (double)(NEVER / NS_PER_S) - (double)(start / NS_PER_S) - 1.0
               ? start + (moment)(seconds * (double)NS_PER_S)
               : NEVER;
}

#endif
