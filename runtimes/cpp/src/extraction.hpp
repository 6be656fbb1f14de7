#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace agentloop {

/// The code block of a reply that answers, ending in exactly one LF, or none when the reply holds none.
///
/// A block that defines the entry point, a name that may be empty, wins over one that does not, then a block
/// tagged as Python over one without a tag, then the longest, then the last. Blocks with any other tag never
/// count. Blocks before an end of thought stand in only when no block after it counts. Source: the fenced
/// code blocks of CommonMark 0.31, and runtimes/contract/vectors/extraction.json.
std::optional<std::string> extract(std::string_view reply, std::string_view entry_point);

}  // namespace agentloop
