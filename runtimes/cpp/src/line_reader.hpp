#pragma once

#include <cstddef>
#include <cstdio>
#include <optional>
#include <string_view>

namespace agentloop {

/// Reads a file line by line, into one buffer as long as the longest line so far.
class LineReader {
  public:
    /// `file` stays the caller's.
    explicit LineReader(std::FILE* file) : file_(file) {}
    ~LineReader();

    LineReader(LineReader const&) = delete;
    LineReader& operator=(LineReader const&) = delete;

    /// The next line without its LF, valid until the next call, or none at the end; throws
    /// `std::system_error`.
    std::optional<std::string_view> next();

  private:
    std::FILE* file_;
    char* buffer_ = nullptr;  // The C library's, which makes it longer.
    std::size_t capacity_ = 0;
};

}  // namespace agentloop
