#ifndef EXTRACTION_H
#define EXTRACTION_H

#include "buffer.h"

/// Puts the Python code block of a reply into `code`; false if it holds none.
///
/// Source: the fenced code blocks of CommonMark 0.31, and runtimes/contract/vectors/extraction.json.
bool extract(struct slice reply, struct buffer *code);

#endif
