#pragma once

#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "chat.hpp"
#include "transfer.hpp"

namespace agentloop {

/// Makes completions one after another, each while its caller waits. Every thread has its own.
class LLMClient {
  public:
    /// Connects to nothing yet. `endpoint` must outlive the client.
    LLMClient(Endpoint const& endpoint, std::stop_token stop);

    /// The reply to a request body; stamps `attempt`. Throws `ChatFailed`, and `Interrupted` when a stop is
    /// requested.
    std::string complete(std::string body, Attempt& attempt);

    /// Makes one try, given up at `total`.
    TryResult try_once(std::shared_ptr<std::string const> const& body, Attempt& attempt,
                       Clock::time_point total);

    /// Waits until `deadline`, not at all if it has passed; returns false when `total` comes first.
    bool pause(Clock::time_point deadline, Clock::time_point total);

  private:
    void perform();
    void wait(Clock::time_point deadline);

    Endpoint const& endpoint_;
    std::stop_token stop_;
    std::minstd_rand random_{std::random_device()()};
    Transfers transfers_;
    std::vector<std::unique_ptr<Transfer>> detached_;
};

}  // namespace agentloop
