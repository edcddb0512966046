#ifndef CZlib_h
#define CZlib_h

#include <stddef.h>

// The most that `count` bytes become as a gzip member.
size_t innkeeper_gzip_bound(size_t count);
// Writes one gzip member; returns its length, 0 when it does not fit or memory is short.
size_t innkeeper_gzip(const unsigned char *bytes, size_t count, unsigned char *room, size_t size);

#endif
