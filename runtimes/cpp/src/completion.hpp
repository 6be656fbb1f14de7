#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace agentloop {

/// The stream cannot become a completion. `what` says why; it may quote the endpoint, with several lines.
class BrokenStream : public std::runtime_error {
  public:
    enum class Kind { truncated, malformed, endpoint };

    BrokenStream(Kind kind, std::string const& reason) : std::runtime_error(reason), kind_(kind) {}

    Kind kind() const { return kind_; }

  private:
    Kind kind_;
};

/// A chat completion that grows chunk by chunk.
///
/// Source: "The chat completion chunk object" of OpenAI's API reference, and
/// runtimes/contract/vectors/sse.json.
class Completion {
  public:
    /// Takes in the data of one event.
    ///
    /// `[DONE]` ends the completion, and so does anything broken after the finish reason, which never undoes
    /// a success. Before that, data that is no JSON object and an error object throw `BrokenStream`.
    void add(std::string_view data);

    /// Takes note that the stream is over; throws `BrokenStream` when that is before a finish reason.
    void end();

    /// Whether any content has arrived.
    bool started() const { return !text_.empty(); }

    /// Whether the finish reason has arrived, so that the completion has succeeded.
    bool finished() const { return !finish_reason_.empty(); }

    /// Whether nothing that follows counts any more.
    bool ended() const { return ended_; }

    /// All content so far.
    std::string const& text() const { return text_; }

    /// All content, moved out: the completion holds none from then on.
    std::string take_text() { return std::move(text_); }

    /// Empty until the model has finished.
    std::string const& finish_reason() const { return finish_reason_; }

    /// The endpoint's usage object as canonical JSON, or `null`; one that cannot be rewritten so does not
    /// count.
    std::string const& usage() const { return usage_; }

  private:
    void add_chunk(std::string_view data);
    void take_usage(std::string_view json);

    std::string text_;
    std::string finish_reason_;
    std::string usage_ = "null";
    bool ended_ = false;
};

}  // namespace agentloop
