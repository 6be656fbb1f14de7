#include "received_body.hpp"

#include <algorithm>
#include <charconv>

namespace agentloop {

void ReceivedBody::feed(std::string_view received) {
    // Longer than any size; what follows in the line is of no interest.
    constexpr std::size_t LONGEST_BEGINNING = 32;
    while (!received.empty()) {
        if (state_ == State::ended || state_ == State::broken) {
            state_ = State::broken;
            return;
        }
        if (state_ == State::data) {
            auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, received.size()));
            received.remove_prefix(size);
            left_ -= size;
            if (left_ == 0)
                state_ = is_chunked_ ? State::end_of_data : State::ended;
            continue;
        }
        auto const end = received.find('\n');
        line_ += received.substr(0, std::min(end, LONGEST_BEGINNING - line_.size()));
        received.remove_prefix(end == std::string_view::npos ? received.size() : end + 1);
        if (end != std::string_view::npos)
            take_line();
    }
}

void ReceivedBody::take_line() {
    if (line_.ends_with('\r'))
        line_.pop_back();
    switch (state_) {
        case State::size: {
            auto const result = std::from_chars(line_.data(), line_.data() + line_.size(), left_, 16);
            state_ = result.ec != std::errc() ? State::broken : left_ == 0 ? State::trailer : State::data;
            break;
        }
        case State::end_of_data:
            state_ = line_.empty() ? State::size : State::broken;
            break;
        default:
            if (line_.empty())
                state_ = State::ended;
    }
    line_.clear();
}

}  // namespace agentloop
