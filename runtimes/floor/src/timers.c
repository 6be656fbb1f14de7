#include "timers.h"

#include <stdbool.h>
#include <stdlib.h>

#include "buffer.h"

static void put(struct timers *timers, size_t position, struct timer *timer) {
    timers->heap[position] = timer;
    timer->position = position;
}

static void move_up(struct timers *timers, struct timer *timer) {
    size_t position = timer->position;
    while (position > 0 && timers->heap[(position - 1) / 2]->queued > timer->queued) {
        put(timers, position, timers->heap[(position - 1) / 2]);
        position = (position - 1) / 2;
    }
    put(timers, position, timer);
}

static void move_down(struct timers *timers, struct timer *timer) {
    size_t position = timer->position;
    for (;;) {
        size_t below = 2 * position + 1;
        if (below + 1 < timers->count && timers->heap[below + 1]->queued < timers->heap[below]->queued)
            ++below;
        if (below >= timers->count || timers->heap[below]->queued >= timer->queued)
            break;
        put(timers, position, timers->heap[below]);
        position = below;
    }
    put(timers, position, timer);
}

void timers_make(struct timers *timers, void *first, size_t count, size_t stride) {
    *timers = (struct timers){allocate(count, sizeof *timers->heap), count};
    for (size_t i = 0; i < count; ++i) {
        struct timer *const timer = (struct timer *)(void *)((char *)first + i * stride);
        timer->deadline = timer->queued = NEVER;
        put(timers, i, timer);
    }
}

void timer_set(struct timers *timers, struct timer *timer, moment deadline) {
    timer->deadline = deadline;
    if (deadline < timer->queued) {
        timer->queued = deadline;
        move_up(timers, timer);
    }
}

struct timer *timers_take_due(struct timers *timers, moment time) {
    while (timers_next(timers) <= time) {
        struct timer *const timer = timers->heap[0];
        bool const is_due = timer->deadline <= time;
        if (is_due)
            timer->deadline = NEVER;
        timer->queued = timer->deadline;
        move_down(timers, timer);
        if (is_due)
            return timer;
    }
    return NULL;
}

moment timers_next(struct timers const *timers) {
    return timers->count == 0 ? NEVER : timers->heap[0]->queued;
}

void timers_free(struct timers *timers) {
    free(timers->heap);
    *timers = (struct timers){0};
}
