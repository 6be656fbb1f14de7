#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

/// Answers each call on stdin, a line of JSON, by a line on stdout, in the workspace `folder`; returns the
/// exit status.
///
/// Source: CONTRACT.md, "Tools".
int serve_tools(char const *folder);

#endif
