#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace agentloop {

/// Follows a body as it is received, to tell whether anything comes behind its end.
///
/// libcurl drops what it has read of anything behind a body in chunks or without a byte, and would use the
/// connection again. Source: RFC 9112, sections 6 and 7.1.
class ReceivedBody {
  public:
    static ReceivedBody in_chunks() { return ReceivedBody(State::size, 0); }
    static ReceivedBody of_length(std::uint64_t bytes) { return ReceivedBody(State::data, bytes); }

    /// Takes the next bytes of the connection.
    void feed(std::string_view received);

    /// Whether the body has been seen to end, and nothing to follow it. Of a body without a byte there is
    /// nothing to be seen.
    bool ends_here() const { return state_ == State::ended; }

  private:
    enum class State { size, data, end_of_data, trailer, ended, broken };

    ReceivedBody(State state, std::uint64_t left)
        : state_(state), left_(left), is_chunked_(state == State::size) {}

    void take_line();

    State state_;
    std::uint64_t left_;  ///< Bytes of the chunk, or of the body, that are to come.
    bool is_chunked_;
    std::string line_;  ///< The beginning of the line that is not complete.
};

}  // namespace agentloop
