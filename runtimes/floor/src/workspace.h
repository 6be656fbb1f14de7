#ifndef WORKSPACE_H
#define WORKSPACE_H

#include "buffer.h"

/// Appends the names in an open folder, each with a NUL behind it; false, with errno set, where the system
/// refuses.
bool folder_names(int folder, struct buffer *names);
bool is_folder(int parent, char const *name);

/// Removes a folder, or what is in its place, and all it holds: links, but never what they point to.
///
/// Folders without permissions are given some. Depth costs neither stack nor open files, because folders
/// further down are first moved to the top. What is written meanwhile is removed as well, for a second.
/// Returns false, with errno set, when something defies all that.
bool remove_tree(int parent, char const *name);

#endif
