#include "stop_signals.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

#include "errors.hpp"
#include "stop.hpp"

namespace agentloop {

StopSignals::StopSignals() {
    sigset_t stopping;
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGINT);
    sigaddset(&stopping, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stopping, nullptr);
    descriptor_ = FileDescriptor(signalfd(-1, &stopping, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!descriptor_)
        throw system_failure("signalfd");
}

bool StopSignals::take() {
    signalfd_siginfo signal{};
    while (read(descriptor_.get(), &signal, sizeof signal) == sizeof signal) {
        if (!taken_)
            taken_ = static_cast<int>(signal.ssi_signo);
    }
    return taken_.has_value();
}

bool StopSignals::wait(std::stop_token const& stop) {
    StopDescriptor const stopped(stop);
    std::array<pollfd, 2> watched{{{descriptor_.get(), POLLIN, 0}, {stopped.get(), POLLIN, 0}}};
    while (poll(watched.data(), watched.size(), -1) < 0) {
    }
    return take();
}

}  // namespace agentloop
