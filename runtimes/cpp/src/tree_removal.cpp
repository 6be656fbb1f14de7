#include "tree_removal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "errors.hpp"

namespace agentloop {
namespace {

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

std::string taken_from(std::vector<std::string>& names) {
    auto name = std::move(names.back());
    names.pop_back();
    return name;
}

}  // namespace

TreeRemoval::TreeRemoval(std::string path, std::chrono::milliseconds patience)
    : path_(std::move(path)), patience_(patience), prefix_(random_name() + "-") {}

bool TreeRemoval::proceed(Clock::time_point until) {
    if (!top_ && !open_top())
        return true;
    do {
        try {
            if (step())
                return true;
        } catch (std::system_error const& failure) {
            if (!is_missing(failure))
                throw;
            // Somebody else removes as well; what is left comes with the next pass.
            inner_.reset();
            listing_.reset();
        }
    } while (Clock::now() < until);
    return false;
}

bool TreeRemoval::open_top() {
    try {
        top_ = open_folder(AT_FDCWD, path_);
        return true;
    } catch (std::system_error const& failure) {
        if (failure.code() == std::errc::not_a_directory)
            unlink_entry(AT_FDCWD, path_);
        else if (!is_missing(failure))
            throw;
        return false;
    }
}

bool TreeRemoval::step() {
    if (inner_) {
        step_in(*inner_);
    } else if (listing_) {
        list_top();
    } else if (!names_.empty()) {
        remove_entry(taken_from(names_));
    } else {
        if (std::exchange(has_passed_, true))
            deadline_ = std::min(deadline_, Clock::now() + patience_);
        if (remove_if_empty(AT_FDCWD, path_))
            return true;
        listing_.emplace(top_.get());
        is_written_to_ = false;
    }
    return false;
}

void TreeRemoval::list_top() {
    if (auto name = listing_->next()) {
        // Nobody else can have taken a name with this prefix on purpose.
        is_written_to_ = is_written_to_ || !name->starts_with(prefix_);
        names_.push_back(std::move(*name));
        return;
    }
    listing_.reset();
    if (is_written_to_ && Clock::now() > deadline_)
        throw system_failure(path_ + ": a process that got away goes on writing there", ENOTEMPTY);
}

void TreeRemoval::remove_entry(std::string name) {
    if (is_folder(top_.get(), name))
        inner_.emplace(name, open_folder(top_.get(), name));
    else
        unlink_entry(top_.get(), name);
}

void TreeRemoval::step_in(Inner& inner) {
    if (inner.listing) {
        if (auto name = inner.listing->next())
            inner.names.push_back(std::move(*name));
        else
            inner.listing.reset();
    } else if (!inner.names.empty()) {
        auto const name = taken_from(inner.names);
        if (is_folder(inner.folder.get(), name))
            move_to_top(inner, name);
        else
            unlink_entry(inner.folder.get(), name);
    } else {
        remove_if_empty(top_.get(), inner.name);
        inner_.reset();
    }
}

void TreeRemoval::move_to_top(Inner const& inner, std::string const& name) {
    open_folder(inner.folder.get(), name);  // A folder without permissions cannot be moved.
    auto const new_name = prefix_ + std::to_string(moved_++);
    if (renameat(inner.folder.get(), name.c_str(), top_.get(), new_name.c_str()) != 0)
        throw system_failure(name);
}

}  // namespace agentloop
