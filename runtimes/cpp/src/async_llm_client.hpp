#pragma once

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "async.hpp"
#include "chat.hpp"
#include "event_loop.hpp"
#include "transfer.hpp"

namespace agentloop {

/// Makes completions, as many at the same time as are asked for, in one thread.
///
/// Source: libcurl's "multi_socket" interface, libcurl-multi(3) and curl_multi_socket_action(3).
class AsyncLLMClient {
  public:
    /// Connects to nothing yet, and keeps `connections` open. `loop` and `endpoint` must outlive the client.
    AsyncLLMClient(EventLoop& loop, Endpoint const& endpoint, std::size_t connections);

    AsyncLLMClient(AsyncLLMClient const&) = delete;
    AsyncLLMClient& operator=(AsyncLLMClient const&) = delete;

    /// The reply to a request body; stamps `attempt`. Throws `ChatFailed`, and `Interrupted` when the loop
    /// stops.
    Async<std::string> complete(std::string body, Attempt& attempt);

    /// Makes one try, given up at `total`.
    Async<TryResult> try_once(std::shared_ptr<std::string const> body, Attempt& attempt,
                              Clock::time_point total);

    /// Waits until `deadline`, not at all if it has passed; returns false when `total` comes first.
    Async<bool> pause(Clock::time_point deadline, Clock::time_point total);

  private:
    static int on_socket(CURL*, curl_socket_t socket, int what, void* client, void*) noexcept;
    static int on_timeout(CURLM*, long timeout_ms, void* client) noexcept;

    void watch(curl_socket_t socket, int what);
    void act(curl_socket_t socket, int events);
    void sweep();

    EventLoop& loop_;
    Endpoint const& endpoint_;
    std::minstd_rand random_{std::random_device()()};
    std::map<curl_socket_t, Watch> watches_;
    std::optional<Timer> timer_;
    std::optional<Timer> sweep_timer_;
    std::exception_ptr exception_;
    Transfers transfers_;
    std::vector<std::unique_ptr<Transfer>> detached_;
};

}  // namespace agentloop
