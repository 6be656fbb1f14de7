#include "llm_client.hpp"

#include <algorithm>
#include <climits>
#include <utility>

#include "stop.hpp"

namespace agentloop {

LLMClient::LLMClient(Endpoint const& endpoint, std::stop_token stop)
    : endpoint_(endpoint), stop_(std::move(stop)), transfers_(1) {}

std::string LLMClient::complete(std::string body, Attempt& attempt) {
    return complete_with_tries(*this, endpoint_, random_, std::move(body), attempt).run();
}

TryResult LLMClient::try_once(std::shared_ptr<std::string const> const& body, Attempt& attempt,
                              Clock::time_point total) {
    // What has arrived meanwhile may free the connection of the completion before.
    perform();
    std::erase_if(detached_, [now = Clock::now()](auto const& transfer) {
        return transfer->done() || transfer->give_up() <= now;
    });
    auto transfer = std::make_unique<Transfer>(transfers_, endpoint_, body, attempt, total, [] {});
    for (perform(); !transfer->over(); perform()) {
        wait(transfer->deadline());
        transfer->expire(Clock::now());
    }
    Answer& answer = transfer->answer();
    if (answer.failure())
        return *answer.failure();
    Completion completion = std::move(answer.completion());
    if (transfer->can_detach()) {
        transfer->detach();
        detached_.push_back(std::move(transfer));
    }
    return completion;
}

bool LLMClient::pause(Clock::time_point deadline, Clock::time_point total) {
    while (Clock::now() < std::min(deadline, total)) {
        wait(std::min(deadline, total));
        // What arrives for a detached transfer would end every wait at once.
        perform();
    }
    return deadline <= total;
}

void LLMClient::perform() {
    int running = 0;
    curl_multi_perform(transfers_.handle(), &running);
    transfers_.finish();
}

void LLMClient::wait(Clock::time_point deadline) {
    std::stop_callback const on_stop(stop_, [this] { curl_multi_wakeup(transfers_.handle()); });
    if (!stop_.stop_requested()) {
        int const timeout_ms = poll_timeout_ms(deadline);
        curl_multi_poll(transfers_.handle(), nullptr, 0, timeout_ms < 0 ? INT_MAX : timeout_ms, nullptr);
    }
    if (stop_.stop_requested())
        throw Interrupted();
}

}  // namespace agentloop
