#include "workspace.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "errors.hpp"
#include "file_descriptor.hpp"
#include "folder.hpp"

namespace agentloop {
namespace {

using Clock = std::chrono::steady_clock;

bool is_missing(std::system_error const& failure) {
    return failure.code() == std::errc::no_such_file_or_directory;
}

/// Opens a folder for listing, with all permissions for the owner.
FileDescriptor open_folder(int parent, std::string const& name) {
    FileDescriptor const handle(openat(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!handle)
        throw system_failure(name);
    // This kind of handle needs no permission, and by its name in /proc nothing else can be meant.
    auto const own_name = "/proc/self/fd/" + std::to_string(handle.get());
    if (chmod(own_name.c_str(), S_IRWXU) != 0)
        throw system_failure(name);
    FileDescriptor folder(open(own_name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder)
        throw system_failure(name);
    return folder;
}

void unlink_entry(int parent, std::string const& name) {
    if (unlinkat(parent, name.c_str(), 0) != 0)
        throw system_failure(name);
}

/// Returns whether the folder is gone; one that holds something stays.
bool remove_if_empty(int parent, std::string const& name) {
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT)
        return true;
    if (errno != ENOTEMPTY)
        throw system_failure(name);
    return false;
}

/// Names that those in the folder cannot have taken on purpose.
class UnusedNames {
  public:
    std::string next() { return prefix_ + std::to_string(count_++); }
    bool include(std::string const& name) const { return name.starts_with(prefix_); }

  private:
    std::string prefix_ = random_name() + "-";
    std::uint64_t count_ = 0;
};

/// Removes an entry of the folder `top`; a folder's own folders are moved to `top` instead.
void remove_entry(int top, std::string const& name, UnusedNames& unused_names) {
    if (!is_folder(top, name)) {
        unlink_entry(top, name);
        return;
    }
    auto const folder = open_folder(top, name);
    for (auto const& inner : names_in(folder.get())) {
        if (!is_folder(folder.get(), inner)) {
            unlink_entry(folder.get(), inner);
            continue;
        }
        open_folder(folder.get(), inner);  // A folder without permissions cannot be moved.
        if (renameat(folder.get(), inner.c_str(), top, unused_names.next().c_str()) != 0)
            throw system_failure(inner);
    }
    remove_if_empty(top, name);
}

}  // namespace

Workspace::Workspace(std::string const& parent) : path_(parent + "/attempt-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr)
        throw system_failure(parent);
}

Workspace::~Workspace() {
    try {
        remove();
    } catch (std::system_error const&) {
        // What ends the attempt without `remove` says more than this would.
    }
}

void Workspace::remove() {
    if (!std::exchange(removed_, true))
        remove_tree(path_);
}

void remove_tree(std::string const& path, std::chrono::milliseconds patience) {
    FileDescriptor top;
    try {
        top = open_folder(AT_FDCWD, path);
    } catch (std::system_error const& failure) {
        if (is_missing(failure))
            return;
        if (failure.code() != std::errc::not_a_directory)
            throw;
        unlink_entry(AT_FDCWD, path);
        return;
    }
    UnusedNames unused_names;
    auto deadline = Clock::time_point::max();
    while (!remove_if_empty(AT_FDCWD, path)) {
        auto const names = names_in(top.get());
        bool const is_written_to = !std::all_of(names.begin(), names.end(),
                                                [&](auto const& name) { return unused_names.include(name); });
        if (is_written_to && Clock::now() > deadline)
            throw system_failure(path + ": a process that got away goes on writing there", ENOTEMPTY);
        for (auto const& name : names) {
            try {
                remove_entry(top.get(), name, unused_names);
            } catch (std::system_error const& failure) {
                if (!is_missing(failure))
                    throw;
            }
        }
        deadline = std::min(deadline, Clock::now() + patience);
    }
}

}  // namespace agentloop
