#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "deadline.hpp"
#include "file_descriptor.hpp"
#include "folder.hpp"

namespace agentloop {

/// How long a process that nobody could kill may go on writing while its folder is being removed.
inline constexpr std::chrono::milliseconds REMOVAL_PATIENCE{1000};

/// Removes a folder, or what is in its place, and all it holds: links, but never what they point to.
///
/// Folders without permissions are given some. Depth costs neither stack nor open files, because folders
/// further down are first moved to the top. What is written meanwhile is removed as well, for a while. It
/// goes in small steps, so that a huge tree need not hold up whoever has other things to do.
class TreeRemoval {
  public:
    /// Removes nothing yet. `patience` begins when all that was there at first is gone.
    explicit TreeRemoval(std::string path, std::chrono::milliseconds patience = REMOVAL_PATIENCE);

    /// Goes on, for one step at least; returns whether everything is gone. Throws `std::system_error` when
    /// something defies that, and then is of no use any more.
    bool proceed(Clock::time_point until);

  private:
    /// A folder in the top folder that is being emptied.
    struct Inner {
        Inner(std::string its_name, FileDescriptor its_folder)
            : name(std::move(its_name)), folder(std::move(its_folder)), listing(folder.get()) {}

        std::string name;
        FileDescriptor folder;
        std::optional<Listing> listing;  ///< None when `names` are complete.
        std::vector<std::string> names;
    };

    bool open_top();
    bool step();
    void list_top();
    void remove_entry(std::string name);
    void step_in(Inner& inner);
    void move_to_top(Inner const& inner, std::string const& name);

    std::string path_;
    std::chrono::milliseconds patience_;
    std::string prefix_;  ///< Of the names that folders from further down are given.
    std::uint64_t moved_ = 0;
    FileDescriptor top_;
    std::optional<Listing> listing_;  ///< None when `names_` are complete.
    std::vector<std::string> names_;
    std::optional<Inner> inner_;
    Clock::time_point deadline_ = NEVER;
    bool has_passed_ = false;
    bool is_written_to_ = false;
};

}  // namespace agentloop
