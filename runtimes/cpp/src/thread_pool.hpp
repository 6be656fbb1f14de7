#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace agentloop {

/// Threads that share work: each has a deque of its own, and takes from the others when that is empty.
///
/// A worker takes its newest job, what is likely still in its cache, and steals the oldest of another.
class ThreadPool {
  public:
    /// Is given the number of the worker that does it, from 0.
    using Job = std::function<void(std::size_t worker)>;

    /// Starts `workers` threads; throws `std::system_error`. When `stop` is requested, from the outside or
    /// because a job threw, the jobs that wait are dropped; those under way are waited for.
    ThreadPool(std::size_t workers, std::stop_source stop);

    /// Requests a stop and waits for the jobs under way.
    ~ThreadPool();

    ThreadPool(ThreadPool const&) = delete;
    ThreadPool& operator=(ThreadPool const&) = delete;

    /// Adds a job to the deques in turn.
    void submit(Job job);

    /// Adds a job to the deque of one worker, as a job does that makes more work.
    void submit(Job job, std::size_t worker);

    /// Waits until all jobs are done or dropped; throws what the first job that failed threw.
    void wait();

  private:
    struct Deque {
        std::mutex mutex;
        std::deque<Job> jobs;
    };

    void work(std::size_t worker);
    void perform(Job job, std::size_t worker);
    Job take(std::size_t worker);

    std::stop_source stop_;
    std::vector<Deque> deques_;

    std::mutex mutex_;
    std::condition_variable_any job_waits_;
    std::condition_variable_any all_done_;
    std::size_t waiting_ = 0;  ///< Jobs in the deques that no worker has laid claim to.
    std::size_t under_way_ = 0;
    std::atomic<std::size_t> next_worker_ = 0;
    std::exception_ptr failure_;

    std::vector<std::jthread> threads_;
};

}  // namespace agentloop
