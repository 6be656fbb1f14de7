#include "events.hpp"

#include <fcntl.h>

#include <cstring>

#include "canonical.hpp"
#include "clock.hpp"
#include "errors.hpp"
#include "run_file.hpp"
#include "text.hpp"

namespace agentloop {
namespace {

/// A JSON object that grows field by field.
class Object {
  public:
    explicit Object(std::string_view event) { add("event", event); }

    void add(std::string_view name, std::string_view value) {
        begin(name);
        // What an endpoint said may be quoted in part, which need not be UTF-8.
        append_quoted(json_, decoded(value));
    }

    void add(std::string_view name, std::int64_t value) { add_json(name, std::to_string(value)); }

    template <typename Value>
    void add(std::string_view name, std::optional<Value> const& value) {
        if (value)
            add(name, *value);
        else
            add_json(name, "null");
    }

    /// Adds a field of which the value is JSON already.
    void add_json(std::string_view name, std::string_view value) {
        begin(name);
        json_ += value;
    }

    std::string end() { return std::move(json_ += '}'); }

  private:
    void begin(std::string_view name) {
        json_ += json_.empty() ? '{' : ',';
        append_quoted(json_, name);
        json_ += ':';
    }

    std::string json_;
};

std::string_view name(Outcome outcome) {
    switch (outcome) {
        case Outcome::passed:
            return "passed";
        case Outcome::failed:
            return "failed";
        case Outcome::error:
            return "error";
    }
    return {};
}

}  // namespace

std::string Attempt::event() const {
    Object object("attempt");
    object.add("task", task);
    object.add("attempt", attempt);
    object.add("t_begin", t_begin);
    object.add("t_request", t_request);
    object.add("t_first", t_first);
    object.add("t_last", t_last);
    object.add("t_queue", t_queue);
    object.add("t_spawn", t_spawn);
    object.add("t_started", t_started);
    object.add("t_exit", t_exit);
    object.add("t_end", t_end);
    object.add("transport_retries", transport_retries);
    object.add("transport_ns", transport_ns);
    object.add("request_sha256", request_sha256);
    object.add("completion_sha256", completion_sha256);
    object.add_json("usage", usage);
    object.add("exit_code", exit_code);
    object.add("signal", signal);
    object.add_json("timed_out", timed_out ? "true" : "false");
    object.add("verdict", verdict ? std::optional(agentloop::name(*verdict)) : std::nullopt);
    object.add("reason", reason);
    return object.end();
}

Attempt Attempt::following() const {
    Attempt next;
    next.task = task;
    next.attempt = attempt + 1;
    next.t_begin = t_end.value();
    return next;
}

std::string run_start_event(std::int64_t t) {
    Object object("run_start");
    object.add("t", t);
    object.add("contract_version", CONTRACT_VERSION);
    object.add("pid", getpid());
    return object.end();
}

std::string run_end_event() {
    Object object("run_end");
    object.add("t", now_ns());
    return object.end();
}

std::string task_event(std::string_view task_id, Outcome outcome, std::int64_t attempts,
                       std::optional<std::string> const& reason) {
    Object object("task");
    object.add("task", task_id);
    object.add("t", now_ns());
    object.add("outcome", name(outcome));
    object.add("attempts", attempts);
    object.add("reason", reason);
    return object.end();
}

EventFile::EventFile(std::string path)
    : path_(std::move(path)),
      file_(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644)) {
    if (!file_)
        throw InvalidInput("events: " + path_ + " cannot be created (" + std::strerror(errno) +
                           "); name a file that is not there");
}

void EventFile::emit(std::string_view event) {
    std::string line;
    line.reserve(event.size() + 1);
    line.append(event).push_back('\n');
    std::lock_guard const lock(one_at_a_time_);
    for (std::string_view rest = line; !rest.empty();) {
        auto const written = write(file_.get(), rest.data(), rest.size());
        if (written < 0)
            throw EventFileFailed(path_ + ": cannot be written (" + std::strerror(errno) + ")");
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace agentloop
