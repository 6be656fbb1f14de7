#include "tools.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "errors.hpp"
#include "file_descriptor.hpp"
#include "folder.hpp"
#include "text.hpp"

namespace agentloop {
namespace {

using std::string_view;

constexpr int FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
// Without O_NONBLOCK, opening a named pipe would wait for someone to write to it.
constexpr int EXISTING_FILE = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

/// The names that make up a relative path.
std::vector<std::string> names_of(string_view path) {
    std::vector<std::string> names;
    for (auto rest = path; !rest.empty();) {
        auto const name = rest.substr(0, rest.find('/'));
        if (!name.empty() && name != ".")
            names.emplace_back(name);
        rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    }
    bool const leads_up = std::find(names.begin(), names.end(), "..") != names.end();
    if (path.starts_with('/') || leads_up || path.find('\0') != string_view::npos || names.empty())
        throw ToolRefused("'" + std::string(path) + "': is not a path inside the workspace");
    return names;
}

bool is_workspace_itself(string_view path) {
    return path.empty() || path == ".";
}

ToolRefused through_link(string_view path) {
    return ToolRefused(std::string(path) + ": goes through a symbolic link or something that is no folder");
}

/// Refuses what can be replaced, but was put there to lead elsewhere.
void refuse_link(int folder, std::string const& name, string_view path) {
    struct stat status = {};
    if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode))
        throw through_link(path);
}

FileDescriptor open_in(int folder, std::string const& name, int flags, string_view path) {
    FileDescriptor opened(openat(folder, name.c_str(), flags));
    if (opened)
        return opened;
    if (errno == ELOOP || errno == ENOTDIR)
        throw through_link(path);
    throw system_failure(std::string(path));
}

/// Goes down one folder at a time, so that one exchanged for a link meanwhile is not followed either.
template <typename Names>
FileDescriptor open_folder(std::string const& workspace, Names const& names, string_view path, bool make) {
    auto here = open_in(AT_FDCWD, workspace, FOLDER, path);
    for (auto const& name : names) {
        if (make && mkdirat(here.get(), name.c_str(), 0777) != 0 && errno != EEXIST)
            throw system_failure(std::string(path));
        here = open_in(here.get(), name, FOLDER, path);
    }
    return here;
}

void write_all(int file, string_view content, string_view path) {
    while (!content.empty()) {
        auto const written = write(file, content.data(), content.size());
        if (written < 0)
            throw system_failure(std::string(path));
        content.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace

void ToolDispatcher::write_file(string_view path, string_view content) const {
    auto folders = names_of(path);
    auto const name = std::move(folders.back());
    folders.pop_back();
    auto const parent = open_folder(folder_, folders, path, true);
    refuse_link(parent.get(), name, path);
    auto const temporary = ".agentloop-" + random_name();
    FileDescriptor const file(openat(parent.get(), temporary.c_str(), NEW_FILE, 0644));
    if (!file)
        throw system_failure(std::string(path));
    try {
        write_all(file.get(), content, path);
        if (renameat(parent.get(), temporary.c_str(), parent.get(), name.c_str()) != 0)
            throw system_failure(std::string(path));
    } catch (std::system_error const&) {
        unlinkat(parent.get(), temporary.c_str(), 0);
        throw;
    }
}

std::string ToolDispatcher::read_file(string_view path) const {
    auto folders = names_of(path);
    auto const name = std::move(folders.back());
    folders.pop_back();
    auto const file = open_in(open_folder(folder_, folders, path, false).get(), name, EXISTING_FILE, path);
    struct stat status = {};
    if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
        throw ToolRefused(std::string(path) + ": is no file");
    std::array<char, 16 * 1024> piece;
    std::string bytes;
    auto length = read(file.get(), piece.data(), piece.size());
    for (; length > 0; length = read(file.get(), piece.data(), piece.size()))
        bytes.append(piece.data(), static_cast<std::size_t>(length));
    if (length < 0)
        throw system_failure(std::string(path));
    return is_utf_8(bytes) ? bytes : decoded(bytes);
}

std::vector<std::string> ToolDispatcher::list_dir(string_view path) const {
    auto const folders = is_workspace_itself(path) ? std::vector<std::string>() : names_of(path);
    auto const folder = open_folder(folder_, folders, path, false);
    auto names = names_in(folder.get());
    for (auto& name : names)
        if (is_folder(folder.get(), name))
            name += '/';
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<SearchMatch> ToolDispatcher::search(string_view text, string_view path) const {
    std::vector<SearchMatch> matches;
    // The next one last; folders are taken apart when their turn comes.
    std::vector<std::string> waiting;
    auto const add_folder = [&](string_view folder, std::string const& prefix) {
        auto const names = list_dir(folder);
        for (auto name = names.rbegin(); name != names.rend(); ++name)
            waiting.push_back(prefix + *name);
    };
    std::string prefix;
    if (!is_workspace_itself(path))
        for (auto const& name : names_of(path))
            prefix += name + '/';
    add_folder(path, prefix);
    while (!waiting.empty()) {
        auto const here = std::move(waiting.back());
        waiting.pop_back();
        try {
            if (here.ends_with('/'))
                add_folder(here, here);
            else
                find_lines(text, here, matches);
        } catch (ToolRefused const&) {
            // Links, and what is no file, are not searched.
        } catch (std::system_error const&) {
            // Nor is what cannot be read, or is gone.
        }
    }
    return matches;
}

void ToolDispatcher::find_lines(string_view text, std::string const& path,
                                std::vector<SearchMatch>& matches) const {
    auto const content = read_file(path);
    std::size_t number = 0;
    for (string_view rest = content; !rest.empty();) {
        auto const end = rest.find('\n');
        auto line = rest.substr(0, end);
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (end != string_view::npos && line.ends_with('\r'))
            line.remove_suffix(1);
        ++number;
        if (line.find(text) != string_view::npos)
            matches.push_back({path, number, std::string(line)});
    }
}

Finished ToolDispatcher::bash(std::string const& command, Environment const& environment, double timeout_s,
                              std::size_t output_limit_bytes) const {
    auto const path = environment.find("PATH");
    auto const program = find_program("bash", path == environment.end() ? "" : path->second);
    if (!program)
        throw ToolRefused("bash is no program that can be found and run; set PATH in env");
    Child child(*program, {"bash", "-c", command}, environment, folder_, output_limit_bytes);
    return child.finish(after(timeout_s));
}

}  // namespace agentloop
