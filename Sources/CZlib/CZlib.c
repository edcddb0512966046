#include "CZlib.h"

#include <string.h>
#include <zlib.h>

// The window of 32 KiB, in the format of gzip.
enum { WINDOW = 15 + 16, MEMORY = 8, HEADER = 18 };

size_t innkeeper_gzip_bound(size_t count) { return compressBound(count) + HEADER; }

size_t innkeeper_gzip(const unsigned char *bytes, size_t count, unsigned char *room, size_t size) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (count > (unsigned)-1 || size > (unsigned)-1) return 0;
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    stream.next_in = (unsigned char *)bytes;
    stream.avail_in = (unsigned)count;
    stream.next_out = room;
    stream.avail_out = (unsigned)size;
    size_t written = deflate(&stream, Z_FINISH) == Z_STREAM_END ? stream.total_out : 0;
    deflateEnd(&stream);
    return written;
}
