#ifndef CLinux_h
#define CLinux_h
#include <stddef.h>
#endif
