#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace agentloop {

/// How much of an output a model is shown, in bytes of UTF-8.
inline constexpr std::size_t FEEDBACK_LIMIT_BYTES = 4000;

/// What the tests printed, without what differs from run to run, its last 4,000 bytes at most.
///
/// `output` and `errors` are what came on stdout and on stderr, `workspace` is the absolute path of the
/// folder in which the tests ran. Source: runtimes/contract/vectors/feedback.json.
std::string normalise(std::string_view output, std::string_view errors, std::string_view workspace);

}  // namespace agentloop
