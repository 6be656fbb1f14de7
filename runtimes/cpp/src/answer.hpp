#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "completion.hpp"
#include "deadline.hpp"
#include "events.hpp"
#include "run_file.hpp"
#include "sse.hpp"

namespace agentloop {

/// One request failed: why, whether another may do better, and how long to wait for it at least.
struct TryFailed {
    std::string reason;
    bool retryable = true;
    double retry_after_s = 0;
};

/// Why a completion is given up when `total_s` is over.
std::string no_completion_within(double total_s);

/// What the head of a response says that matters here.
struct ResponseHead {
    int status = 0;
    std::string content_type;
    std::string content_encoding;
    std::string retry_after;
};

/// Receives the response to one request, and becomes a completion or a `TryFailed`.
///
/// It does no input or output: whoever does tells it what happens, and calls `expire` at its `deadline`.
/// Source: runtimes/CONTRACT.md, "Transport".
class Answer {
  public:
    /// Begins when the connection is asked for. `attempt` is stamped until the answer is over. `total` is
    /// the deadline of the finish reason, whatever the other bounds.
    Answer(Attempt& attempt, Timeouts const& timeouts, Clock::time_point total);

    /// The connection is open and the request is about to be sent.
    void sending();

    /// The request has been sent, so that events may be expected.
    void sent();

    /// The head of the response is there.
    void head(ResponseHead head);

    /// A piece of the body is there.
    void body(std::string_view piece);

    /// The body is complete.
    void end();

    /// No connection could be had, or it broke, before the body was complete.
    void lost(std::string reason);

    /// Gives up what is not there if the deadline has come.
    void expire(Clock::time_point now);

    /// When `expire` will do something; it moves as the response arrives.
    Clock::time_point deadline() const { return finished_ ? next_ : std::min(next_, total_); }

    /// Whether the completion has finished, so that its deadline has come nearer.
    bool finished() const { return finished_; }

    /// Whether it is a completion or a failure; nothing changes that any more.
    bool over() const { return over_; }

    /// Whether the response arrived as far as it is of interest, so that its connection is in order.
    bool complete() const { return completion_.ended(); }

    /// Why this is no completion, once it is over.
    std::optional<TryFailed> const& failure() const { return failure_; }

    Completion& completion() { return completion_; }

  private:
    void add(std::string_view data);
    void fail(TryFailed failure);
    void refuse();

    Attempt& attempt_;
    Timeouts const& timeouts_;
    Clock::time_point total_;
    Clock::time_point next_;
    EventStream events_;
    Completion completion_;
    std::optional<ResponseHead> refusal_;
    std::string refusal_body_;
    std::optional<TryFailed> failure_;
    bool sending_ = false;
    bool sent_ = false;
    bool finished_ = false;
    bool over_ = false;
};

}  // namespace agentloop
