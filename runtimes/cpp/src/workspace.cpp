#include "workspace.hpp"

#include <cstdlib>
#include <system_error>

#include "errors.hpp"

namespace agentloop {
namespace {

std::string new_folder(std::string const& parent) {
    auto path = parent + "/attempt-XXXXXX";
    if (mkdtemp(path.data()) == nullptr)
        throw system_failure(parent);
    return path;
}

}  // namespace

Workspace::Workspace(std::string const& parent) : path_(new_folder(parent)), removal_(path_) {}

Workspace::~Workspace() {
    try {
        remove(NEVER);
    } catch (std::system_error const&) {
        // What ends the attempt without `remove` says more than this would.
    }
}

bool Workspace::remove(Clock::time_point until) {
    if (!is_over_) {
        // When something defies the removal, once is enough.
        is_over_ = true;
        is_over_ = removal_.proceed(until);
    }
    return is_over_;
}

}  // namespace agentloop
