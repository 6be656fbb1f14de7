#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "process.hpp"

namespace agentloop {

/// The tool does not do this; the message says why, in words for the model.
struct ToolRefused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A line of a file that holds the text that was sought.
struct SearchMatch {
    std::string path;  ///< Relative to the workspace.
    std::size_t line;  ///< Counted from 1.
    std::string text;  ///< The line without its LF or CRLF.
};

/// What a model may do in one workspace, with paths that lead nowhere else:
/// not by `..`, not by symbolic links.
///
/// All tools throw `ToolRefused`, or `std::system_error` where the machine refuses. Source:
/// runtimes/CONTRACT.md, "Tools".
class ToolDispatcher {
  public:
    /// Works in the existing folder `folder`.
    explicit ToolDispatcher(std::string folder) : folder_(std::move(folder)) {}

    /// Writes a file whole or not at all, and the folders it needs.
    void write_file(std::string_view path, std::string_view content) const;

    /// The text of a regular file, with U+FFFD for what is not UTF-8.
    std::string read_file(std::string_view path) const;

    /// The names in a folder by code point, a slash after those of folders.
    std::vector<std::string> list_dir(std::string_view path = ".") const;

    /// All lines that hold `text`, of the regular files below a folder, by the code points of their paths.
    std::vector<SearchMatch> search(std::string_view text, std::string_view path = ".") const;

    /// Runs a command line in the workspace, with exactly `environment`, under the rules of verification.
    Finished bash(std::string const& command, Environment const& environment, double timeout_s,
                  std::size_t output_limit_bytes) const;

  private:
    void find_lines(std::string_view text, std::string const& path, std::vector<SearchMatch>& matches) const;

    std::string folder_;
};

}  // namespace agentloop
