#ifndef TOOLS_H
#define TOOLS_H

#include "buffer.h"

// What a model may do with files in a workspace, and nothing outside it: CONTRACT.md, "Tools". No path leads
// elsewhere, not by `..`, not by symbolic links. Each returns false, with a line in `problem`, where it
// refuses or fails.

/// An open workspace.
struct workspace {
    int folder;
};

bool tool_write_file(struct workspace workspace, struct slice path, struct slice content,
                     struct buffer *problem);
bool tool_read_file(struct workspace workspace, struct slice path, struct buffer *text,
                    struct buffer *problem);
/// Appends a JSON list of names.
bool tool_list_dir(struct workspace workspace, struct slice path, struct buffer *json,
                   struct buffer *problem);
/// Appends a JSON list of what was found.
bool tool_search(struct workspace workspace, struct slice text, struct slice path, struct buffer *json,
                 struct buffer *problem);

#endif
