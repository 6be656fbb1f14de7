#ifndef FATAL_H
#define FATAL_H

/// Writes one line to stderr; where nobody reads it, the exit status says the same.
__attribute__((format(printf, 1, 2))) void complain(char const *format, ...);

/// What `fatal` calls, once, before it ends the program: it leaves nothing behind.
extern void (*before_fatal)(void);

/// Ends the program with status 1 and one line on stderr.
__attribute__((format(printf, 1, 2))) _Noreturn void fatal(char const *format, ...);

#endif
