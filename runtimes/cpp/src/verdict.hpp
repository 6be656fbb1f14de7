#pragma once

#include <optional>
#include <string_view>

namespace agentloop {

/// What became of an attempt.
enum class Verdict { passed, failed, unproven, no_summary, timed_out, no_code, error, interrupted };

/// The name of a verdict in events.
std::string_view name(Verdict verdict);

/// Judges an attempt by its exit code and by the summary that pytest printed.
///
/// `exit_code` is none when a signal ended the verifier. The exit code alone proves nothing: a solution that
/// calls `os._exit(0)` exits with 0, and so does a test module that skips itself. Source:
/// runtimes/contract/vectors/verdicts.json.
Verdict judge(std::optional<int> exit_code, bool timed_out, std::string_view output);

}  // namespace agentloop
