#include "event_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "errors.hpp"
#include "stop.hpp"

namespace agentloop {

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll_)
        throw system_failure("epoll_create1");
}

void EventLoop::run(std::vector<Async<void>> coroutines) {
    std::vector<Async<void>> work;
    work.reserve(coroutines.size());
    for (Async<void>& coroutine : coroutines)
        work.push_back(supervised(std::move(coroutine)));
    coroutines.clear();
    running_ = work.size();
    // What is ready goes on in between: an agent's request is sent before the next agent makes its own.
    for (Async<void>& coroutine : work) {
        coroutine.start();
        turn(false);
    }
    while (running_ > 0)
        turn(true);
    if (failure_)
        std::rethrow_exception(std::exchange(failure_, nullptr));
}

void EventLoop::stop() {
    stopping_ = true;
    while (!awaited_.empty())
        awaited_.back()->resume();
}

Async<void> EventLoop::supervised(Async<void> coroutine) {
    try {
        co_await std::move(coroutine);
    } catch (...) {
        fail();
    }
    --running_;
}

void EventLoop::fail() noexcept {
    if (!failure_)
        failure_ = std::current_exception();
    stop();
}

void EventLoop::turn(bool may_wait) {
    run_ready();
    if (running_ == 0)
        return;
    Clock::time_point const deadline = timers_.empty() ? NEVER : timers_.front()->deadline_;
    int const count = epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                 may_wait && ready_.empty() ? poll_timeout_ms(deadline) : 0);
    if (count < 0 && errno != EINTR)
        throw system_failure("epoll_wait");
    being_handled_ = std::span(events_).first(static_cast<std::size_t>(std::max(count, 0)));
    for (epoll_event& event : being_handled_)
        handle(event);
    being_handled_ = {};
    run_timers();
}

void EventLoop::handle(epoll_event& event) {
    // A watch that ended meanwhile has taken its pointer out.
    auto* const watch = static_cast<Watch*>(event.data.ptr);
    if (!watch)
        return;
    // Moved out, because the watch may end in its own call.
    auto on_ready = std::move(watch->on_ready_);
    try {
        on_ready(event.events);
    } catch (...) {
        fail();
    }
    if (event.data.ptr)
        watch->on_ready_ = std::move(on_ready);
}

void EventLoop::run_ready() {
    for (std::coroutine_handle<> const coroutine : std::exchange(ready_, {}))
        coroutine.resume();
}

void EventLoop::run_timers() {
    Clock::time_point const now = Clock::now();
    while (!timers_.empty() && timers_.front()->deadline_ <= now) {
        Timer& timer = *timers_.front();
        remove(timer);
        // Moved out, because the timer may end in its own call.
        auto const on_deadline = std::move(timer.on_deadline_);
        try {
            on_deadline();
        } catch (...) {
            fail();
        }
    }
}

void EventLoop::add(Timer& timer) {
    timers_.push_back(&timer);
    timer.index_ = timers_.size() - 1;
    sift_up(timer.index_);
}

void EventLoop::remove(Timer& timer) {
    std::size_t const index = std::exchange(timer.index_, Timer::NOWHERE);
    Timer* const last = timers_.back();
    timers_.pop_back();
    if (last == &timer)
        return;
    place(last, index);
    sift_up(index);
    sift_down(last->index_);
}

void EventLoop::place(Timer* timer, std::size_t index) {
    timers_[index] = timer;
    timer->index_ = index;
}

void EventLoop::sift_up(std::size_t index) {
    Timer* const timer = timers_[index];
    while (index > 0 && timer->deadline_ < timers_[(index - 1) / 2]->deadline_) {
        place(timers_[(index - 1) / 2], index);
        index = (index - 1) / 2;
    }
    place(timer, index);
}

void EventLoop::sift_down(std::size_t index) {
    Timer* const timer = timers_[index];
    while (true) {
        std::size_t child = 2 * index + 1;
        if (child >= timers_.size())
            break;
        if (child + 1 < timers_.size() && timers_[child + 1]->deadline_ < timers_[child]->deadline_)
            ++child;
        if (timer->deadline_ <= timers_[child]->deadline_)
            break;
        place(timers_[child], index);
        index = child;
    }
    place(timer, index);
}

Watch::Watch(EventLoop& loop, int descriptor, std::uint32_t interest,
             std::function<void(std::uint32_t)> on_ready)
    : loop_(loop), descriptor_(descriptor), on_ready_(std::move(on_ready)) {
    epoll_event event{interest, {.ptr = this}};
    if (epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_ADD, descriptor_, &event) != 0)
        throw system_failure("epoll_ctl");
}

Watch::~Watch() {
    cease();
}

void Watch::cease() {
    epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_DEL, descriptor_, nullptr);
    for (epoll_event& event : loop_.being_handled_) {
        if (event.data.ptr == this)
            event.data.ptr = nullptr;
    }
}

void Watch::change(std::uint32_t interest) {
    epoll_event event{interest, {.ptr = this}};
    if (epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_MOD, descriptor_, &event) != 0)
        throw system_failure("epoll_ctl");
}

Timer::Timer(EventLoop& loop, Clock::time_point deadline, std::function<void()> on_deadline)
    : loop_(loop), deadline_(deadline), on_deadline_(std::move(on_deadline)) {
    loop_.add(*this);
}

Timer::~Timer() {
    if (index_ != NOWHERE)
        loop_.remove(*this);
}

Wakeup::~Wakeup() {
    if (waiting_)
        forget();
}

void Wakeup::wake() {
    woken_ = true;
    if (waiting_)
        resume();
}

void Wakeup::resume() {
    loop_.ready_.push_back(waiting_);
    forget();
}

void Wakeup::forget() {
    waiting_ = nullptr;
    timer_.reset();
    loop_.awaited_.back()->index_ = index_;
    loop_.awaited_[index_] = loop_.awaited_.back();
    loop_.awaited_.pop_back();
}

bool Wakeup::Waiting::await_ready() const noexcept {
    return wakeup_.woken_ || wakeup_.loop_.stopping_;
}

void Wakeup::Waiting::await_suspend(std::coroutine_handle<> waiting) {
    if (deadline_ != NEVER)
        wakeup_.timer_.emplace(wakeup_.loop_, deadline_, [&wakeup = wakeup_] { wakeup.resume(); });
    wakeup_.loop_.awaited_.push_back(&wakeup_);
    wakeup_.index_ = wakeup_.loop_.awaited_.size() - 1;
    wakeup_.waiting_ = waiting;
}

bool Wakeup::Waiting::await_resume() {
    if (wakeup_.loop_.stopping_)
        throw Interrupted();
    return std::exchange(wakeup_.woken_, false);
}

}  // namespace agentloop
