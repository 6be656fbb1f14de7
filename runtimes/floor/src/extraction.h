#ifndef EXTRACTION_H
#define EXTRACTION_H

#include "buffer.h"

/// Puts the Python code block of a reply that answers into `code`; false if it holds none.
///
/// A block that defines the entry point wins over one that does not, then a block tagged as Python over one
/// without a tag, then the longest, then the last. Blocks with any other tag never count. Blocks before an
/// end of thought stand in only when no block after it counts.
///
/// Source: the fenced code blocks of CommonMark 0.31, and runtimes/contract/vectors/extraction.json.
bool extract(struct slice reply, struct slice entry_point, struct buffer *code);

#endif
