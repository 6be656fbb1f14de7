#include "folder.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "errors.hpp"
#include "file_descriptor.hpp"

namespace agentloop {

Listing::Listing(int folder) : folder_(nullptr, closedir) {
    // What is listed gets closed, and shares its place in the listing with its duplicates.
    FileDescriptor duplicate(fcntl(folder, F_DUPFD_CLOEXEC, 0));
    if (duplicate)
        folder_.reset(fdopendir(duplicate.get()));
    if (!folder_)
        throw system_failure("a folder cannot be listed");
    duplicate.release();
    rewinddir(folder_.get());
}

std::optional<std::string> Listing::next() {
    errno = 0;
    while (auto const* entry = readdir(folder_.get()))
        if (std::string_view const name = entry->d_name; name != "." && name != "..")
            return std::string(name);
    if (errno != 0)
        throw system_failure("a folder cannot be listed");
    return std::nullopt;
}

std::vector<std::string> names_in(int folder) {
    Listing listing(folder);
    std::vector<std::string> names;
    while (auto name = listing.next())
        names.push_back(std::move(*name));
    return names;
}

bool is_folder(int parent, std::string const& name) {
    struct stat status = {};
    if (fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        throw system_failure(name);
    return S_ISDIR(status.st_mode);
}

std::string random_name() {
    std::uint64_t bits = 0;
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        throw system_failure("no random numbers");
    std::string name;
    for (int shift = 60; shift >= 0; shift -= 4)
        name += "0123456789abcdef"[bits >> shift & 15];
    return name;
}

}  // namespace agentloop
