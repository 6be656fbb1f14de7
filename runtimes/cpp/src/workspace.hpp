#pragma once

#include <string>

#include "deadline.hpp"
#include "tree_removal.hpp"

namespace agentloop {

/// A new folder, gone when the attempt ends, whatever was done to it.
class Workspace {
  public:
    /// Makes a folder below `parent`; throws `std::system_error`.
    explicit Workspace(std::string const& parent);

    /// Removes what `remove` has left; a failure goes unnoticed.
    ~Workspace();

    Workspace(Workspace const&) = delete;
    Workspace& operator=(Workspace const&) = delete;

    std::string const& path() const { return path_; }

    /// Removes the folder as far as it gets `until` then; returns whether all is gone. Throws
    /// `std::system_error` when something defies that.
    bool remove(Clock::time_point until);

  private:
    std::string path_;
    TreeRemoval removal_;
    bool is_over_ = false;
};

}  // namespace agentloop
