#include "stop.hpp"

#include <sys/eventfd.h>

#include "errors.hpp"

namespace agentloop {

StopDescriptor::StopDescriptor(std::stop_token const& stop)
    : readable_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      on_stop_(stop, [this] { eventfd_write(readable_.get(), 1); }) {
    if (!readable_)
        throw system_failure("eventfd");
}

}  // namespace agentloop
