#include "run_file.hpp"

#include <algorithm>
#include <string_view>

#include "fields.hpp"

namespace agentloop {
namespace {

BaseUrl base_url(Fields const& fields) {
    auto const url = parse_base_url(fields.text("base_url"));
    if (!url)
        throw fields.invalid_unshown(
            "base_url", "http:// or https://, a host without a user, a port if need be, a path and a query");
    return *url;
}

CanonicalFields request(Fields const& fields) {
    auto values = fields.object("request");
    if (values.contains("messages") || values.contains("model") || values.contains("stream"))
        throw fields.invalid("request", "an object without messages, model, stream");
    return values;
}

Verify verify(Fields const& fields) {
    return {
        .argv = fields.texts("argv"),
        .env = fields.environment("env"),
        .timeout_s = fields.positive("timeout_s"),
        .slots = fields.integer("slots", 1),
        .output_limit_bytes = fields.integer("output_limit_bytes", 1),
    };
}

Timeouts timeouts(Fields const& fields) {
    return {
        .connect_s = fields.positive("connect_s"),
        .event_idle_s = fields.positive("event_idle_s"),
        .total_s = fields.positive("total_s"),
    };
}

TransportRetries transport(Fields const& fields) {
    return {
        .max_retries = fields.integer("max_retries", 0),
        .base_s = fields.not_negative("base_s"),
        .cap_s = fields.not_negative("cap_s"),
    };
}

}  // namespace

RunFile load_run_file(std::string const& path) {
    auto const fields = Fields::of_file(path);
    if (fields.integer("contract_version", 0) != CONTRACT_VERSION)
        throw fields.invalid("contract_version",
                             std::to_string(CONTRACT_VERSION) + ", the one that this runtime obeys");
    return {
        .tasks_file = fields.path("tasks_file"),
        .prompts_file = fields.path("prompts_file"),
        .base_url = base_url(fields),
        .model = fields.text("model"),
        .request = request(fields),
        .agents = fields.integer("agents", 1),
        .max_retries = fields.integer("max_retries", 0),
        .verify = verify(fields.fields("verify")),
        .timeouts = timeouts(fields.fields("timeouts")),
        .transport = transport(fields.fields("transport")),
        .workspaces = fields.writable_folder("workspaces"),
        .events = fields.path("events"),
    };
}

}  // namespace agentloop
