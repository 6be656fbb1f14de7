#ifndef VERDICT_H
#define VERDICT_H

#include "child.h"
#include "slice.h"

enum verdict { PASSED, FAILED, UNPROVEN, NO_SUMMARY, TIMED_OUT, NO_CODE, ERROR, INTERRUPTED };

extern char const *const VERDICT_NAMES[];

/// PASSED, FAILED, UNPROVEN, NO_SUMMARY or TIMED_OUT. Source: runtimes/contract/vectors/verdicts.json.
enum verdict judge(struct ending ending, struct slice output);

#endif
