#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/wait.h>

int linux_malloc_trim(void) { return malloc_trim(0); }

int linux_child_has_exited(pid_t child) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return -1;
    return info.si_pid != 0;
}

int linux_filesystem_of(const char *path, struct linux_filesystem *result) {
    struct statfs figures;
    if (statfs(path, &figures) != 0) return errno;
    uint64_t unit = figures.f_frsize > 0 ? (uint64_t)figures.f_frsize : (uint64_t)figures.f_bsize;
    result->total_bytes = figures.f_blocks * unit;
    result->free_bytes = figures.f_bfree * unit;
    result->available_bytes = figures.f_bavail * unit;
    result->files = figures.f_files;
    result->free_files = figures.f_ffree;
    memcpy(&result->identity, &figures.f_fsid, sizeof result->identity);
    return 0;
}
