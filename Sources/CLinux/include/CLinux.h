// Calls of Linux and glibc that Swift's Glibc module hides or cannot import.

#ifndef INNKEEPER_CLINUX_H
#define INNKEEPER_CLINUX_H

#include <stdint.h>
#include <sys/types.h>

/// Gives free heap memory back to the system; glibc keeps it after a burst otherwise. 1 when any was given back.
int linux_malloc_trim(void);

/// Keeps the heap of this process in one arena instead of one for every thread. To be called before other threads run.
void linux_malloc_one_arena(void);

/// Lets go of the pages of programs and libraries that were read to start up. What is used again comes back from the
/// page cache at its first use; nothing that could have been written to is touched.
void linux_release_code(void);

/// No core dump of this process, and no debugger of the same user that reads its memory.
void linux_forbid_dumps(void);

/// Keeps every descriptor from this number on, open now, out of programs that are started from now on.
void linux_close_on_exec_from(int first);

/// Whether a child of this process has exited, without reaping it: 1 exited, 0 running, -1 no such child.
int linux_child_has_exited(pid_t child);

/// Sizes of the file system that holds a path, in bytes and in numbers of files.
struct linux_filesystem {
    uint64_t total_bytes;
    uint64_t free_bytes;       // also what only root may use
    uint64_t available_bytes;  // what others than root may use
    uint64_t files;
    uint64_t free_files;
    uint64_t identity;  // the same for two mounts of one file system
};

/// 0, or the errno of statfs. Can block on a dead network file system.
int linux_filesystem_of(const char *path, struct linux_filesystem *result);

/// Whether the kernel knows its clock as kept by a time service: 1 it does, 0 it does not, -1 it does not tell.
int linux_clock_is_synchronised(void);

#endif
