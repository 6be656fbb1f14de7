#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace agentloop {

/// The code block of a reply that answers, ending in exactly one LF, or none when the reply holds none.
///
/// The longest block tagged as Python wins, the later of two as long. Untagged blocks stand in only when no
/// block is tagged as Python; blocks with any other tag never count. What precedes the last `</think>` was
/// only thought. Source: the fenced code blocks of CommonMark 0.31, and
/// runtimes/contract/vectors/extraction.json.
std::optional<std::string> extract(std::string_view reply);

}  // namespace agentloop
