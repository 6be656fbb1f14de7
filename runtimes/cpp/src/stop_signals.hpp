#pragma once

#include <optional>
#include <stop_token>

#include "file_descriptor.hpp"

namespace agentloop {

/// SIGINT and SIGTERM, taken by whoever reads them instead of ending the process.
class StopSignals {
  public:
    /// From now on they wait, in this thread and in those it starts; throws `std::system_error`.
    StopSignals();

    /// Readable when there is one to take.
    int descriptor() const { return descriptor_.get(); }

    /// Takes the signals that are there; returns whether there are any, or ever were.
    bool take();

    /// Waits for one, and takes it, or for `stop`; returns whether it was a signal.
    bool wait(std::stop_token const& stop);

    /// The first that was taken.
    std::optional<int> taken() const { return taken_; }

  private:
    FileDescriptor descriptor_;
    std::optional<int> taken_;
};

}  // namespace agentloop
