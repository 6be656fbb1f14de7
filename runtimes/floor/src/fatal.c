#include "fatal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void (*before_fatal)(void);

__attribute__((format(printf, 1, 0))) static void write_line(char const *format, va_list arguments) {
    char line[1024] = "floor: ";
    size_t const begin = strlen(line);
    vsnprintf(line + begin, sizeof line - begin - 1, format, arguments);
    for (char *c = line; *c != '\0'; ++c)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    strcat(line, "\n");
    ssize_t const ignored = write(STDERR_FILENO, line, strlen(line));
    (void)ignored;
}

void complain(char const *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}

void fatal(char const *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
    void (*const clean_up)(void) = before_fatal;
    // What fails on the way out must not begin it again.
    before_fatal = NULL;
    if (clean_up != NULL)
        clean_up();
    _exit(EXIT_FAILURE);
}
