#ifndef RECEIVE_H
#define RECEIVE_H

/// One buffer for all that arrives, on connections and in pipes: it is read and dealt with in one step.
extern char receive_buffer[64 * 1024];

#endif
