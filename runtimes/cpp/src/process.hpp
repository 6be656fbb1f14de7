#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "deadline.hpp"
#include "file_descriptor.hpp"
#include "run_file.hpp"

namespace agentloop {

/// How a process ended, by an `exit_code` or by a `signal` (the other is none), and what it wrote last.
struct Finished {
    std::optional<int> exit_code;
    std::optional<int> signal;
    bool timed_out = false;
    std::string output;  ///< The end of its stdout.
    std::string errors;  ///< The end of its stderr.
};

/// The path of a program, sought on the search path if its name has no slash, or none.
///
/// A relative path is returned as it is: whether it leads anywhere depends on the folder it is started in.
std::optional<std::string> find_program(std::string const& name, std::string_view search_path);

/// The search path that an environment holds, or nothing.
std::string_view search_path(Environment const& environment);

/// A pipe of which the last bytes are kept.
class Output {
  public:
    /// Keeps `limit_bytes`; throws `std::system_error`.
    explicit Output(std::size_t limit_bytes);

    int read_end() const { return read_end_.get(); }
    int write_end() const { return write_end_.get(); }
    void close_write_end() { write_end_.close(); }

    /// Reads some of what is there, without waiting; returns false once the pipe has ended.
    bool read();

    /// Reads what the pipe holds now and no more, because a descendant that got away may write for ever.
    void read_rest();

    std::string take_tail();

  private:
    std::size_t read_some();

    std::size_t limit_bytes_;
    FileDescriptor read_end_;
    FileDescriptor write_end_;
    std::string kept_;
};

/// A running process, the leader of its own group; when the object goes, the group is dead.
///
/// `posix_spawn` copies nothing of this process, and so does not slow down as it grows. A pidfd tells the end
/// of exactly one child, so that nothing here can take another's exit status.
class Child {
  public:
    /// Starts `program` in `folder` with exactly `environment`, keeping the last `output_limit_bytes` of its
    /// stdout and of its stderr; throws `std::system_error`.
    Child(std::string const& program, std::vector<std::string> const& argv, Environment const& environment,
          std::string const& folder, std::size_t output_limit_bytes);
    ~Child();

    Child(Child const&) = delete;
    Child& operator=(Child const&) = delete;

    /// Waits until the process has ended; at the deadline its group is killed. Throws `Interrupted` when a
    /// stop is requested.
    Finished finish(Clock::time_point deadline, std::stop_token const& stop = {});

    /// Readable when the process has ended.
    int pidfd() const { return pidfd_.get(); }
    Output& output() { return output_; }
    Output& errors() { return errors_; }

    /// Kills the group.
    void kill();

    /// Reaps the process, which has ended or been killed, and kills what is left of its group.
    Finished reap(bool timed_out);

  private:
    Output output_;
    Output errors_;
    pid_t pid_ = -1;
    FileDescriptor pidfd_;
    bool reaped_ = false;
};

}  // namespace agentloop
