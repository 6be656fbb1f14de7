#ifndef TIMERS_H
#define TIMERS_H

#include <stddef.h>

#include "moment.h"

/// A deadline that can be moved at any time.
struct timer {
    moment deadline;  ///< NEVER if there is none.
    moment queued;    ///< When it is looked at again: not after its deadline.
    size_t position;  ///< In the heap.
};

/// Deadlines, the earliest first: a binary heap. To put a deadline off costs nothing until it would have
/// passed.
struct timers {
    struct timer **heap;
    size_t count;
};

/// Takes in `count` timers that stand in memory `stride` bytes apart, none of them with a deadline.
void timers_make(struct timers *timers, void *first, size_t count, size_t stride);
void timer_set(struct timers *timers, struct timer *timer, moment deadline);
/// A timer whose deadline has passed, which then has none any more; NULL if there is none.
struct timer *timers_take_due(struct timers *timers, moment time);
/// When to look at them again.
moment timers_next(struct timers const *timers);
void timers_free(struct timers *timers);

#endif
