#ifndef FEEDBACK_H
#define FEEDBACK_H

#include "buffer.h"

/// Appends to `feedback` what the tests printed, fit to be shown to a model and the same wherever the same
/// test fails. `workspace` is the absolute path of the folder in which they ran.
///
/// Source: runtimes/contract/vectors/feedback.json.
void normalise(struct slice output, struct slice errors, struct slice workspace, struct buffer *feedback);

#endif
