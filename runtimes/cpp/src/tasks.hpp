#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "line_reader.hpp"

namespace agentloop {

/// One coding problem: the specification in `prompt`, and the pytest module that a solution must pass.
struct Task {
    std::string task_id;
    std::string prompt;
    std::string tests;
    std::string entry_point;
    /// How long after the start of the run it may begin.
    std::int64_t start_after_ns = 0;
};

/// Reads the tasks of a file one by one, so that those that wait take no memory.
class TaskReader {
  public:
    /// Opens the file; throws `InvalidInput`.
    explicit TaskReader(std::string const& path);

    /// The next task, or none at the end; throws `InvalidInput`. One thread at a time may call it.
    std::optional<Task> next();

  private:
    std::string path_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
    LineReader lines_;
    std::size_t line_number_ = 0;
};

/// How many tasks there are; throws `InvalidInput` unless there is one, and all can be read and have names of
/// their own.
std::size_t check_tasks(std::string const& path);

}  // namespace agentloop
