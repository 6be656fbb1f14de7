#pragma once

#include <chrono>
#include <string>

namespace agentloop {

/// A new folder, gone when the attempt ends, whatever was done to it.
class Workspace {
  public:
    /// Makes a folder below `parent`; throws `std::system_error`.
    explicit Workspace(std::string const& parent);

    /// Removes the folder if `remove` has not; a failure goes unnoticed.
    ~Workspace();

    Workspace(Workspace const&) = delete;
    Workspace& operator=(Workspace const&) = delete;

    std::string const& path() const { return path_; }

    /// Removes the folder; throws `std::system_error` when something defies that.
    void remove();

  private:
    std::string path_;
    bool removed_ = false;
};

/// How long a process that nobody could kill may go on writing while its folder is being removed.
inline constexpr std::chrono::milliseconds REMOVAL_PATIENCE{1000};

/// Removes a folder, or what is in its place, and all it holds: links, but never what they point to.
///
/// Folders without permissions are given some. Depth costs neither stack nor open files, because folders
/// further down are first moved to the top. What is written meanwhile is removed as well, for `patience`.
/// Throws `std::system_error` when something defies all that.
void remove_tree(std::string const& path, std::chrono::milliseconds patience = REMOVAL_PATIENCE);

}  // namespace agentloop
