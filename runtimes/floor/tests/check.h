#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

#include "buffer.h"

// A check that fails says where, and in which case; the tests then go on, and fail at their end.

extern int checks_failed;
/// The case that is being tried, for the messages.
extern struct buffer current_case;

void name_case(char const *group, struct slice name);
void check(bool holds, char const *claim, char const *file, int line);
void check_text(struct slice found, struct slice expected, char const *file, int line);

#define CHECK(claim) check(claim, #claim, __FILE__, __LINE__)
#define CHECK_TEXT(found, expected) check_text(found, expected, __FILE__, __LINE__)

/// A random number below `bound`, the same in every run of the tests.
size_t random_below(size_t bound);

void test_vectors(void);
void test_json(void);
void test_http(void);
void test_transport(void);
void test_tail(void);
void test_timers(void);
void test_tasks(void);
void test_files(void);
void test_child(void);
void test_run(void);

#endif
