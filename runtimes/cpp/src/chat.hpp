#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "answer.hpp"
#include "async.hpp"
#include "backoff.hpp"
#include "clock.hpp"
#include "deadline.hpp"
#include "endpoint.hpp"
#include "events.hpp"
#include "sha256.hpp"

namespace agentloop {

/// No completion can be had; the message is one line that says why.
struct ChatFailed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What one try came to.
using TryResult = std::variant<Completion, TryFailed>;

/// Makes a completion of the request body, with the tries that it may take, and stamps `attempt`.
///
/// `client` makes one try by `try_once` and waits by `pause`, and either blocks or is awaited. Throws
/// `ChatFailed`. Source: runtimes/CONTRACT.md, "Transport".
template <typename Client>
Async<std::string> complete_with_tries(Client& client, Endpoint const& endpoint, std::minstd_rand& random,
                                       std::string body, Attempt& attempt) {
    attempt.request_sha256 = sha256_hex(body);
    auto const shared_body = std::make_shared<std::string const>(std::move(body));
    Clock::time_point const total = after(endpoint.timeouts().total_s);
    std::int64_t const t_first_try = now_ns();
    while (true) {
        attempt.transport_ns = attempt.transport_retries > 0 ? now_ns() - t_first_try : 0;
        TryResult result = co_await client.try_once(shared_body, attempt, total);
        if (auto* const completion = std::get_if<Completion>(&result)) {
            std::string text = completion->take_text();
            attempt.completion_sha256 = sha256_hex(text);
            attempt.usage = completion->usage();
            co_return text;
        }
        auto const& failure = std::get<TryFailed>(result);
        if (!failure.retryable || attempt.transport_retries >= endpoint.transport().max_retries)
            throw ChatFailed(endpoint.presentable(failure.reason));
        double const pause_s = std::max(backoff_s(endpoint.transport(), attempt.transport_retries, random),
                                        failure.retry_after_s);
        if (!co_await client.pause(after(pause_s), total))
            throw ChatFailed(no_completion_within(endpoint.timeouts().total_s));
        ++attempt.transport_retries;
    }
}

}  // namespace agentloop
