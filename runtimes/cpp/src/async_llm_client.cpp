#include "async_llm_client.hpp"

#include <algorithm>
#include <utility>

namespace agentloop {

AsyncLLMClient::AsyncLLMClient(EventLoop& loop, Endpoint const& endpoint, std::size_t connections)
    : loop_(loop), endpoint_(endpoint), transfers_(connections) {
    curl_multi_setopt(transfers_.handle(), CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(transfers_.handle(), CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(transfers_.handle(), CURLMOPT_TIMERFUNCTION, &on_timeout);
    curl_multi_setopt(transfers_.handle(), CURLMOPT_TIMERDATA, this);
}

Async<std::string> AsyncLLMClient::complete(std::string body, Attempt& attempt) {
    return complete_with_tries(*this, endpoint_, random_, std::move(body), attempt);
}

Async<TryResult> AsyncLLMClient::try_once(std::shared_ptr<std::string const> body, Attempt& attempt,
                                          Clock::time_point total) {
    Wakeup changed(loop_);
    auto transfer = std::make_unique<Transfer>(transfers_, endpoint_, std::move(body), attempt, total,
                                               [&changed] { changed.wake(); });
    while (!transfer->over()) {
        co_await changed.until(transfer->deadline());
        transfer->expire(Clock::now());
    }
    Answer& answer = transfer->answer();
    if (answer.failure())
        co_return *answer.failure();
    Completion completion = std::move(answer.completion());
    if (transfer->can_detach()) {
        transfer->detach();
        detached_.push_back(std::move(transfer));
        sweep();
    }
    co_return completion;
}

Async<bool> AsyncLLMClient::pause(Clock::time_point deadline, Clock::time_point total) {
    Wakeup nothing(loop_);
    if (Clock::time_point const end = std::min(deadline, total); Clock::now() < end)
        co_await nothing.until(end);
    co_return deadline <= total;
}

int AsyncLLMClient::on_socket(CURL*, curl_socket_t socket, int what, void* client, void*) noexcept {
    auto& self = *static_cast<AsyncLLMClient*>(client);
    try {
        self.watch(socket, what);
        return 0;
    } catch (...) {
        self.exception_ = std::current_exception();
        return -1;
    }
}

int AsyncLLMClient::on_timeout(CURLM*, long timeout_ms, void* client) noexcept {
    auto& self = *static_cast<AsyncLLMClient*>(client);
    try {
        self.timer_.reset();
        if (timeout_ms >= 0)
            self.timer_.emplace(self.loop_, Clock::now() + std::chrono::milliseconds(timeout_ms),
                                [&self] { self.act(CURL_SOCKET_TIMEOUT, 0); });
        return 0;
    } catch (...) {
        self.exception_ = std::current_exception();
        return -1;
    }
}

void AsyncLLMClient::watch(curl_socket_t socket, int what) {
    if (what == CURL_POLL_REMOVE) {
        watches_.erase(socket);
        return;
    }
    std::uint32_t const interest = (what & CURL_POLL_IN ? std::uint32_t{EPOLLIN} : 0) |
                                   (what & CURL_POLL_OUT ? std::uint32_t{EPOLLOUT} : 0);
    auto const known = watches_.find(socket);
    if (known != watches_.end()) {
        known->second.change(interest);
        return;
    }
    watches_.try_emplace(socket, loop_, socket, interest, [this, socket](std::uint32_t ready) {
        act(socket, (ready & EPOLLIN ? CURL_CSELECT_IN : 0) | (ready & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                        (ready & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
    });
}

void AsyncLLMClient::act(curl_socket_t socket, int events) {
    int running = 0;
    curl_multi_socket_action(transfers_.handle(), socket, events, &running);
    transfers_.finish();
    sweep();
    if (exception_)
        std::rethrow_exception(std::exchange(exception_, nullptr));
}

void AsyncLLMClient::sweep() {
    std::erase_if(detached_, [now = Clock::now()](auto const& transfer) {
        return transfer->done() || transfer->give_up() <= now;
    });
    sweep_timer_.reset();
    if (!detached_.empty())
        sweep_timer_.emplace(loop_, detached_.front()->give_up(), [this] { sweep(); });
}

}  // namespace agentloop
