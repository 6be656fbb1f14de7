#pragma once

#include <cstdio>
#include <string>

namespace agentloop {

/// The `tools` command: reads calls from `calls`, one JSON object a line, and answers each with a JSON line.
///
/// Both executables do this when started as `agentloop-… tools FOLDER`; `folder` is the workspace. Returns
/// the exit status: 0 at the end of the calls, 1 when an answer cannot be written, 2 without the folder.
/// Source: runtimes/CONTRACT.md, "Tools".
int serve_tools(std::string const& folder, std::FILE* calls, std::FILE* answers);

}  // namespace agentloop
