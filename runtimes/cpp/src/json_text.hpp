#pragma once

#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace agentloop {

/// A text is not JSON; the message says why, and in which field.
struct NotJson : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// How deep objects and lists may lie in each other, so that no stack overflows.
inline constexpr int JSON_DEPTH_LIMIT = 200;

/// The value that `text`, in UTF-8, is; raises `NotJson`, also for numbers too large for a double.
nlohmann::json parse_json(std::string_view text);

}  // namespace agentloop
