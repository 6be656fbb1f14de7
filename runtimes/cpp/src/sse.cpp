#include "sse.hpp"

#include <utility>

#include "text.hpp"

namespace agentloop {

bool EventStream::completes_event(std::string_view& chunk) {
    if (std::exchange(after_cr_, false) && chunk.front() == '\n') {
        chunk.remove_prefix(1);
        return false;
    }
    auto const end = chunk.find_first_of("\r\n");
    if (end == std::string_view::npos) {
        unfinished_line_ += chunk;
        chunk = {};
        return false;
    }
    auto const line = chunk.substr(0, end);
    after_cr_ = chunk[end] == '\r';
    chunk.remove_prefix(end + 1);
    if (unfinished_line_.empty())
        return take_line(line);
    unfinished_line_ += line;
    bool const complete = take_line(unfinished_line_);
    unfinished_line_.clear();
    return complete;
}

bool EventStream::take_line(std::string_view line) {
    constexpr std::string_view BYTE_ORDER_MARK = "\xEF\xBB\xBF";
    if (std::exchange(at_start_, false) && line.starts_with(BYTE_ORDER_MARK))
        line.remove_prefix(BYTE_ORDER_MARK.size());
    if (line.empty())
        return has_data_;
    auto const colon = line.find(':');
    if (line.substr(0, colon) != "data")
        return false;
    auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' '))
        value.remove_prefix(1);
    if (std::exchange(has_data_, true))
        data_ += '\n';
    if (is_utf_8(value))
        data_ += value;
    else
        data_ += decoded(value);
    return false;
}

}  // namespace agentloop
