#include "run_file.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "fields.hpp"
#include "scanner.hpp"

namespace agentloop {
namespace {

bool is_alphanumeric(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool take_label(Scanner& scanner) {
    constexpr std::size_t LONGEST_LABEL = 63;
    auto const length = scanner.take_while([](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
    return length > 0 && length <= LONGEST_LABEL;
}

/// Labels with dots between them, and perhaps one at the end, or an address in brackets.
bool take_host(Scanner& scanner) {
    if (scanner.take("[")) {
        auto const is_of_address = [](char c) {
            return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
        };
        return scanner.take_while(is_of_address) > 0 && scanner.take("]");
    }
    if (!take_label(scanner))
        return false;
    while (scanner.take("."))
        if (!take_label(scanner))
            break;
    return true;
}

bool take_port(Scanner& scanner) {
    constexpr unsigned LARGEST_PORT = 65535;
    constexpr std::size_t MOST_DIGITS = 5;
    auto const digits = scanner.rest().substr(0, MOST_DIGITS);
    unsigned port = 0;
    auto const length = scanner.take_while(is_digit, MOST_DIGITS);
    std::from_chars(digits.data(), digits.data() + length, port);
    return length > 0 && port <= LARGEST_PORT;
}

bool is_base_url(std::string_view text) {
    Scanner scanner(text);
    if (!(scanner.take("http://") || scanner.take("https://")) || !take_host(scanner))
        return false;
    if (scanner.take(":") && !take_port(scanner))
        return false;
    if (scanner.take("/"))
        scanner.take_while([](char c) { return c > ' ' && c <= '~' && c != '#' && c != '?'; });
    return scanner.at_end();
}

std::string base_url(Fields const& fields) {
    auto value = fields.text("base_url");
    if (!is_base_url(value))
        throw fields.invalid("base_url", "http:// or https://, a host, a port if need be, and a path");
    return value;
}

nlohmann::json const& request(Fields const& fields) {
    auto const& values = fields.object("request");
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
