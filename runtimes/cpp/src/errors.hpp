#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace agentloop {

/// The run file, or something it names, cannot be used; the message says what, where and what to do.
struct InvalidInput : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// An event is lost, so nothing that the run does from here on can be believed.
struct EventFileFailed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The failure of a system call, as `errno` has it; `what` names what was tried.
inline std::system_error system_failure(std::string const& what, int error = errno) {
    return {error, std::generic_category(), what};
}

}  // namespace agentloop
