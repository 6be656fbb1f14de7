#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "errors.hpp"
#include "stop.hpp"

namespace agentloop {

namespace {

constexpr std::size_t READ_BYTES = 16 * 1024;

bool is_executable_file(std::string const& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && access(path.c_str(), X_OK) == 0;
}

std::vector<char*> pointers(std::vector<std::string> const& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (std::string const& text : texts)
        result.push_back(const_cast<char*>(text.c_str()));  // posix_spawn does not write to them.
    result.push_back(nullptr);
    return result;
}

/// What a new process is given besides its program: its folder, its group, its signals, its descriptors.
class SpawnSettings {
  public:
    SpawnSettings(std::string const& folder, int output, int errors) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawnattr_init(&attributes_);
        check(posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str()));
        check(posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
        check(posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO));
        check(posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO));
        // Neither our own descriptors nor what our parent has left open is the child's business.
        check(posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1));
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setpgroup(&attributes_, 0);
        posix_spawnattr_setflags(&attributes_,
                                 POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }

    ~SpawnSettings() {
        posix_spawnattr_destroy(&attributes_);
        posix_spawn_file_actions_destroy(&actions_);
    }

    SpawnSettings(SpawnSettings const&) = delete;
    SpawnSettings& operator=(SpawnSettings const&) = delete;

    posix_spawn_file_actions_t const* actions() const { return &actions_; }
    posix_spawnattr_t const* attributes() const { return &attributes_; }

  private:
    static void check(int error) {
        if (error != 0)
            throw system_failure("posix_spawn", error);
    }

    posix_spawn_file_actions_t actions_;
    posix_spawnattr_t attributes_;
};

}  // namespace

std::optional<std::string> find_program(std::string const& name, std::string_view search_path) {
    if (name.starts_with('/'))
        return is_executable_file(name) ? std::optional(name) : std::nullopt;
    if (name.find('/') != std::string::npos)
        return name;
    while (!name.empty()) {
        std::size_t const end = search_path.find(':');
        std::string_view const folder = search_path.substr(0, end);
        if (folder.starts_with('/')) {
            std::string candidate = std::string(folder) + "/" + name;
            if (is_executable_file(candidate))
                return candidate;
        }
        if (end == std::string_view::npos)
            break;
        search_path.remove_prefix(end + 1);
    }
    return std::nullopt;
}

std::string_view search_path(Environment const& environment) {
    auto const path = environment.find("PATH");
    return path == environment.end() ? std::string_view() : path->second;
}

Output::Output(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        throw system_failure("pipe");
    read_end_ = FileDescriptor(ends[0]);
    write_end_ = FileDescriptor(ends[1]);
    fcntl(read_end_.get(), F_SETFL, O_NONBLOCK);
}

bool Output::read() {
    errno = 0;
    return read_some() > 0 || errno == EAGAIN;
}

void Output::read_rest() {
    int held = 0;
    ioctl(read_end_.get(), FIONREAD, &held);
    for (auto left = static_cast<std::size_t>(held); left > 0;) {
        std::size_t const count = read_some();
        if (count == 0)
            break;
        left -= std::min(left, count);
    }
}

std::string Output::take_tail() {
    if (kept_.size() > limit_bytes_)
        kept_.erase(0, kept_.size() - limit_bytes_);
    return std::move(kept_);
}

std::size_t Output::read_some() {
    std::array<char, READ_BYTES> piece;
    ssize_t const count = ::read(read_end_.get(), piece.data(), piece.size());
    if (count <= 0)
        return 0;
    auto const size = static_cast<std::size_t>(count);
    kept_.append(piece.data(), size);
    // Not at every piece, because what is kept moves to the front.
    if (kept_.size() > limit_bytes_ && kept_.size() - limit_bytes_ > std::max(limit_bytes_, READ_BYTES))
        kept_.erase(0, kept_.size() - limit_bytes_);
    return size;
}

Child::Child(std::string const& program, std::vector<std::string> const& argv, Environment const& environment,
             std::string const& folder, std::size_t output_limit_bytes)
    : output_(output_limit_bytes), errors_(output_limit_bytes) {
    std::vector<std::string> variables;
    variables.reserve(environment.size());
    for (auto const& [name, value] : environment)
        variables.push_back(name + "=" + value);
    SpawnSettings const settings(folder, output_.write_end(), errors_.write_end());
    int const error = posix_spawn(&pid_, program.c_str(), settings.actions(), settings.attributes(),
                                  pointers(argv).data(), pointers(variables).data());
    if (error != 0)
        throw system_failure(program, error);
    // glibc 2.36 declares pidfd_open for C only.
    pidfd_ = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    if (!pidfd_) {
        auto const failure = system_failure("pidfd_open");
        reap(false);
        throw failure;
    }
    output_.close_write_end();
    errors_.close_write_end();
}

Child::~Child() {
    if (!reaped_)
        reap(false);
}

Finished Child::finish(Clock::time_point deadline, std::stop_token const& stop) {
    StopDescriptor const stopped(stop);
    std::array<pollfd, 4> watched{{{pidfd_.get(), POLLIN, 0},
                                   {stopped.get(), POLLIN, 0},
                                   {output_.read_end(), POLLIN, 0},
                                   {errors_.read_end(), POLLIN, 0}}};
    auto& [ended, interrupted, output, errors] = watched;
    while (true) {
        int const count = poll(watched.data(), watched.size(), poll_timeout_ms(deadline));
        if (count < 0 && errno != EINTR)
            throw system_failure("poll");
        if (count <= 0) {
            if (count == 0 && Clock::now() >= deadline)
                return reap(true);
            continue;
        }
        if (interrupted.revents != 0)
            throw Interrupted();
        if (ended.revents != 0)
            return reap(false);
        // poll passes over descriptors below 0.
        if (output.revents != 0 && !output_.read())
            output.fd = -1;
        if (errors.revents != 0 && !errors_.read())
            errors.fd = -1;
        // A child that writes without a pause must not keep its deadline away.
        if (Clock::now() >= deadline)
            return reap(true);
    }
}

void Child::kill() {
    ::kill(-pid_, SIGKILL);
    // The leader may have moved to another group.
    ::kill(pid_, SIGKILL);
}

Finished Child::reap(bool timed_out) {
    // Its number belongs to the group until the leader is reaped.
    kill();
    siginfo_t status{};
    while (waitid(P_PID, static_cast<id_t>(pid_), &status, WEXITED) != 0 && errno == EINTR) {
    }
    reaped_ = true;
    output_.read_rest();
    errors_.read_rest();
    Finished finished;
    (status.si_code == CLD_EXITED ? finished.exit_code : finished.signal) = status.si_status;
    finished.timed_out = timed_out;
    finished.output = output_.take_tail();
    finished.errors = errors_.take_tail();
    return finished;
}

}  // namespace agentloop
