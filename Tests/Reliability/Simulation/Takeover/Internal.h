#include "include/Takeover.h"

bool takeover_is_on(void);
int64_t takeover_wall_clock(void);
void takeover_random(void *bytes, size_t count);
