#pragma once

#include <string>
#include <string_view>

namespace agentloop {

/// Turns the bytes of a stream of server-sent events, cut anywhere, into the data of its events.
///
/// The types, ids and retry times of events are of no use here and are passed over. What it keeps is the
/// event that is not complete yet. Source: the WHATWG HTML standard, "Parsing an event stream", and
/// runtimes/contract/vectors/sse.json.
class EventStream {
  public:
    /// Calls `on_data(std::string_view)` with the data, in UTF-8, of every event that `chunk` completes. If
    /// that throws, the stream cannot be used any more.
    template <typename OnData>
    void feed(std::string_view chunk, OnData on_data);

  private:
    /// Takes the next line off `chunk`; returns whether it completes an event that has data.
    bool completes_event(std::string_view& chunk);
    bool take_line(std::string_view line);

    std::string unfinished_line_;
    std::string data_;
    bool has_data_ = false;
    bool at_start_ = true;
    bool after_cr_ = false;
};

template <typename OnData>
void EventStream::feed(std::string_view chunk, OnData on_data) {
    while (!chunk.empty()) {
        if (completes_event(chunk)) {
            on_data(std::string_view(data_));
            data_.clear();
            has_data_ = false;
        }
    }
}

}  // namespace agentloop
