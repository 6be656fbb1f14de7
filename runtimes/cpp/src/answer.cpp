#include "answer.hpp"

#include <cstdio>
#include <ctime>
#include <utility>

#include "backoff.hpp"
#include "clock.hpp"
#include "endpoint.hpp"
#include "text.hpp"

namespace agentloop {

namespace {

/// How long to wait for the end of the stream after the finish reason; `usage` may come in that time.
constexpr double STREAM_END_GRACE_S = 1;

constexpr std::size_t REFUSAL_LIMIT_BYTES = 2048;

std::string shown(double seconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%g s", seconds);
    return text;
}

bool is_retryable(int status) {
    return status == 408 || status == 429 || (status >= 500 && status < 600);
}

}  // namespace

std::string no_completion_within(double total_s) {
    return "no completion within " + shown(total_s);
}

Answer::Answer(Attempt& attempt, Timeouts const& timeouts, Clock::time_point total)
    : attempt_(attempt), timeouts_(timeouts), total_(total), next_(after(timeouts.connect_s)) {
    attempt_.t_request = attempt_.t_first = attempt_.t_last = std::nullopt;
}

void Answer::sending() {
    sending_ = true;
    attempt_.t_request = now_ns();
    next_ = NEVER;
}

void Answer::sent() {
    if (!std::exchange(sent_, true))
        next_ = after(timeouts_.event_idle_s);
}

void Answer::head(ResponseHead head) {
    // Who answers before the end of a request need not read the rest.
    sent();
    if (head.status == 101)
        fail({"the endpoint does not speak HTTP/1.1 but switches to another protocol"});
    else if (head.status != 200)
        refusal_ = std::move(head);
    else if (!head.content_encoding.empty() && in_lower_case(head.content_encoding) != "identity")
        fail({"the endpoint sent a compressed stream (" + head.content_encoding + ")"});
    else if (in_lower_case(stripped(head.content_type.substr(0, head.content_type.find(';')))) !=
             "text/event-stream")
        fail({"the endpoint sent no event stream but " +
              (head.content_type.empty() ? "no Content-Type" : head.content_type)});
}

void Answer::body(std::string_view piece) {
    if (over_)
        return;
    if (refusal_) {
        refusal_body_ += piece.substr(0, REFUSAL_LIMIT_BYTES - refusal_body_.size());
        if (refusal_body_.size() == REFUSAL_LIMIT_BYTES)
            refuse();
        return;
    }
    try {
        events_.feed(piece, [this](std::string_view data) { add(data); });
    } catch (BrokenStream const& broken) {
        fail({broken.what()});
    }
}

void Answer::end() {
    if (over_)
        return;
    if (refusal_) {
        refuse();
        return;
    }
    try {
        completion_.end();
        over_ = true;
    } catch (BrokenStream const& broken) {
        fail({broken.what()});
    }
}

void Answer::lost(std::string reason) {
    if (finished_ || refusal_)
        end();
    else
        fail({std::move(reason)});
}

void Answer::expire(Clock::time_point now) {
    if (now < deadline())
        return;
    if (finished_)
        end();
    else if (total_ <= now)
        fail({no_completion_within(timeouts_.total_s), false});
    else if (refusal_)
        refuse();
    else if (sending_)
        fail({"no event within " + shown(timeouts_.event_idle_s)});
    else
        fail({"no connection within " + shown(timeouts_.connect_s)});
}

void Answer::add(std::string_view data) {
    if (over_)
        return;
    completion_.add(data);
    if (!attempt_.t_first && completion_.started())
        attempt_.t_first = now_ns();
    if (!finished_ && completion_.finished()) {
        finished_ = true;
        attempt_.t_last = now_ns();
        next_ = after(STREAM_END_GRACE_S);
    } else if (!finished_) {
        next_ = after(timeouts_.event_idle_s);
    }
    if (completion_.ended())
        end();
}

void Answer::fail(TryFailed failure) {
    if (over_)
        return;
    failure_ = std::move(failure);
    over_ = true;
}

void Answer::refuse() {
    std::string said(stripped(decoded(refusal_body_)));
    if (refusal_body_.size() == REFUSAL_LIMIT_BYTES)
        said += CUT;
    fail({"the endpoint answered " + std::to_string(refusal_->status) + (said.empty() ? "" : ": " + said),
          is_retryable(refusal_->status), retry_after_s(refusal_->retry_after, std::time(nullptr))});
}

}  // namespace agentloop
