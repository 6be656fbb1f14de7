#include "verifier.hpp"

#include <algorithm>

#include "stop.hpp"

namespace agentloop {

Slot<BlockingSlots> BlockingSlots::acquire() {
    std::unique_lock lock(mutex_);
    if (free_ > 0) {
        --free_;
        return Slot(*this);
    }
    Waiting waiting;
    queue_.push_back(&waiting);
    if (!waiting.served.wait(lock, stop_, [&] { return waiting.has_slot; })) {
        std::erase(queue_, &waiting);
        throw Interrupted();
    }
    return Slot(*this);
}

std::size_t BlockingSlots::waiting() {
    std::lock_guard const lock(mutex_);
    return queue_.size();
}

void BlockingSlots::release() {
    std::lock_guard const lock(mutex_);
    if (queue_.empty()) {
        ++free_;
        return;
    }
    queue_.front()->has_slot = true;
    queue_.front()->served.notify_one();
    queue_.pop_front();
}

Async<Slot<AwaitedSlots>> AwaitedSlots::acquire() {
    if (free_ > 0) {
        --free_;
        co_return Slot(*this);
    }
    Waiting waiting{Wakeup(loop_)};
    queue_.push_back(&waiting);
    try {
        co_await waiting.served.until(NEVER);
    } catch (Interrupted const&) {
        if (waiting.has_slot)
            release();
        std::erase(queue_, &waiting);
        throw;
    }
    co_return Slot(*this);
}

void AwaitedSlots::release() {
    if (queue_.empty()) {
        ++free_;
        return;
    }
    queue_.front()->has_slot = true;
    queue_.front()->served.wake();
    queue_.pop_front();
}

Async<Finished> AwaitedSlots::finish(Child& child, Clock::time_point deadline) {
    Wakeup ended(loop_);
    Watch const exit(loop_, child.pidfd(), EPOLLIN, [&](std::uint32_t) { ended.wake(); });
    Watch output(loop_, child.output().read_end(), EPOLLIN, [&](std::uint32_t) {
        if (!child.output().read())
            output.cease();
    });
    Watch errors(loop_, child.errors().read_end(), EPOLLIN, [&](std::uint32_t) {
        if (!child.errors().read())
            errors.cease();
    });
    bool const by_itself = co_await ended.until(deadline);
    co_return child.reap(!by_itself);
}

}  // namespace agentloop
