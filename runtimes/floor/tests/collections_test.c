// The tail of an output and the heap of timers, against what is obvious and slow.

#include "check.h"
#include "tail.h"
#include "timers.h"

enum { TIMERS = 20 };

static void check_tail(size_t limit) {
    struct tail tail = {.limit = limit};
    struct buffer all = {0};
    for (int i = 0; i < 30; ++i) {
        char piece[40];
        size_t const size = random_below(sizeof piece);
        for (size_t j = 0; j < size; ++j)
            piece[j] = (char)('a' + random_below(26));
        tail_append(&tail, (struct slice){piece, size});
        buffer_append(&all, (struct slice){piece, size});
        struct slice const whole = buffer_slice(&all);
        // Not every time, because to look at it puts it in order.
        if (random_below(3) == 0)
            CHECK_TEXT(tail_slice(&tail), slice_after(whole, whole.size < limit ? 0 : whole.size - limit));
    }
    CHECK(tail.kept.capacity <= 2 * limit + 64);
    tail_free(&tail);
    buffer_free(&all);
}

void test_tail(void) {
    name_case("tail", SLICE("as much as the limit"));
    for (size_t limit = 1; limit < 120; ++limit)
        check_tail(limit);
}

void test_timers(void) {
    struct timer all[TIMERS];
    struct timers timers;
    name_case("timers", SLICE("the earliest first, whatever was put off"));
    timers_make(&timers, all, TIMERS, sizeof *all);
    moment time = 0;
    for (int i = 0; i < 5000; ++i) {
        size_t const which = random_below(TIMERS);
        timer_set(&timers, &all[which], random_below(5) == 0 ? NEVER : time + (moment)random_below(50));
        time += (moment)random_below(3);
        for (struct timer *timer; (timer = timers_take_due(&timers, time)) != NULL;)
            CHECK(timer->deadline == NEVER);
        for (size_t j = 0; j < TIMERS; ++j) {
            CHECK(all[j].deadline > time);
            CHECK(all[j].deadline >= timers_next(&timers));
        }
    }
    timers_free(&timers);
}
