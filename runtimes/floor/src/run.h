#ifndef RUN_H
#define RUN_H

/// Does the run that a run file describes and returns the exit status; what goes wrong is one line on stderr.
int perform(char const *run_file);

#endif
