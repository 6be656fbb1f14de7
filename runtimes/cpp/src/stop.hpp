#pragma once

#include <exception>
#include <functional>
#include <stop_token>

#include "file_descriptor.hpp"

namespace agentloop {

/// Thrown out of whatever waits when the run is being stopped.
struct Interrupted : std::exception {
    char const* what() const noexcept override { return "interrupted"; }
};

/// A file descriptor that becomes readable, and stays so, when a stop is requested.
class StopDescriptor {
  public:
    /// Throws `std::system_error` when there are too many open files.
    explicit StopDescriptor(std::stop_token const& stop);

    int get() const { return readable_.get(); }

  private:
    FileDescriptor readable_;
    std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace agentloop
