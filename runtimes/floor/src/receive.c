#include "receive.h"

char receive_buffer[64 * 1024];
