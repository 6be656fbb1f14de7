#include "thread_pool.hpp"

#include <utility>

namespace agentloop {

ThreadPool::ThreadPool(std::size_t workers, std::stop_source stop)
    : stop_(std::move(stop)), deques_(workers) {
    try {
        threads_.reserve(workers);
        for (std::size_t worker = 0; worker < workers; ++worker)
            threads_.emplace_back([this, worker] { work(worker); });
    } catch (...) {
        stop_.request_stop();
        throw;
    }
}

ThreadPool::~ThreadPool() {
    stop_.request_stop();
}

void ThreadPool::submit(Job job) {
    submit(std::move(job), next_worker_++ % deques_.size());
}

void ThreadPool::submit(Job job, std::size_t worker) {
    {
        std::lock_guard const lock(deques_[worker].mutex);
        deques_[worker].jobs.push_back(std::move(job));
    }
    {
        // Last, so that whoever lays claim to a job finds one.
        std::lock_guard const lock(mutex_);
        ++waiting_;
    }
    job_waits_.notify_one();
}

void ThreadPool::wait() {
    std::unique_lock lock(mutex_);
    // A stop wakes the workers, and the last of them to be done wakes this.
    all_done_.wait(lock, stop_.get_token(), [this] { return waiting_ == 0 && under_way_ == 0; });
    all_done_.wait(lock, [this] { return under_way_ == 0; });
    if (failure_)
        std::rethrow_exception(failure_);
}

void ThreadPool::work(std::size_t worker) {
    std::unique_lock lock(mutex_);
    while (job_waits_.wait(lock, stop_.get_token(), [this] { return waiting_ > 0; }) &&
           !stop_.stop_requested()) {
        --waiting_;
        ++under_way_;
        lock.unlock();
        perform(take(worker), worker);
        lock.lock();
        --under_way_;
        all_done_.notify_all();
    }
}

void ThreadPool::perform(Job job, std::size_t worker) {
    try {
        job(worker);
    } catch (...) {
        {
            std::lock_guard const lock(mutex_);
            if (!failure_)
                failure_ = std::current_exception();
        }
        stop_.request_stop();
    }
}

ThreadPool::Job ThreadPool::take(std::size_t worker) {
    // Others may empty one deque after another in front of us, but one job is left for every claim.
    for (std::size_t distance = 0;; ++distance) {
        Deque& deque = deques_[(worker + distance) % deques_.size()];
        std::lock_guard const lock(deque.mutex);
        if (deque.jobs.empty())
            continue;
        bool const own = distance % deques_.size() == 0;
        Job job = std::move(own ? deque.jobs.back() : deque.jobs.front());
        own ? deque.jobs.pop_back() : deque.jobs.pop_front();
        return job;
    }
}

}  // namespace agentloop
