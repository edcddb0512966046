#define _GNU_SOURCE
#include "Internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Definitions in the program win over those of the C library, for the program and for every library that it loads.

static int64_t now = -1;
static uint64_t state;

// A Monday morning, so that an hour begins at zero.
static const int64_t epoch = 1767603600LL * 1000000000LL;

static long kernel(long number, long a, long b, long c, long d, long e, long f) {
    long result;
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    result = x0;
#else
#error "the bare system call of this processor is not known here"
#endif
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

void takeover_begin(uint64_t seed) {
    now = 0;
    state = seed * 0x9E3779B97F4A7C15ULL + 0x1234567;
}

void takeover_set_clock(int64_t time) { now = time; }
int64_t takeover_clock(void) { return now; }
bool takeover_is_on(void) { return now >= 0; }

static int real_time(clockid_t clock, struct timespec *time) {
    return (int)kernel(SYS_clock_gettime, clock, (long)time, 0, 0, 0, 0);
}

int64_t takeover_real_clock(void) {
    struct timespec time;
    real_time(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int64_t takeover_wall_clock(void) { return epoch + now; }

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (now < 0) return real_time(clock, time);
    int64_t value = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? epoch + now : now + 1000000000000LL;
    time->tv_sec = value / 1000000000;
    time->tv_nsec = value % 1000000000;
    return 0;
}

void takeover_random(void *bytes, size_t count) {
    uint8_t *next = bytes;
    while (count-- > 0) {
        state += 0x9E3779B97F4A7C15ULL;
        uint64_t mixed = state;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
        *next++ = (uint8_t)(mixed ^ (mixed >> 31));
    }
}

// The standard library asks for random bytes by the bare system call.
long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long);
    long d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
    va_end(list);
    if (number == SYS_getrandom && now >= 0) {
        takeover_random((void *)a, (size_t)b);
        return b;
    }
    return kernel(number, a, b, c, d, e, f);
}

ssize_t getrandom(void *bytes, size_t count, unsigned flags) {
    return syscall(SYS_getrandom, bytes, count, flags);
}

int getentropy(void *bytes, size_t count) {
    return syscall(SYS_getrandom, bytes, count, 0) == (long)count ? 0 : -1;
}

void takeover_fix_process(char **arguments) {
    const char *mark = "SWIFT_DETERMINISTIC_HASHING";
    if (getenv(mark) != NULL && (personality(0xffffffff) & ADDR_NO_RANDOMIZE) != 0) return;
    if (getenv("INNKEEPER_SIMULATE_FIXED") != NULL) return;
    setenv(mark, "1", 1);
    setenv("INNKEEPER_SIMULATE_FIXED", "1", 1);
    personality((unsigned long)(personality(0xffffffff) | ADDR_NO_RANDOMIZE));
    execv("/proc/self/exe", arguments);
}

pid_t takeover_fork(unsigned limit) {
    pid_t child = fork();
    if (child == 0) {
        // Its own time tells one that finds no end; a busy machine may let any other pass.
        struct rlimit own = {limit, limit};
        setrlimit(RLIMIT_CPU, &own);
        alarm(15 * limit);
    }
    return child;
}
