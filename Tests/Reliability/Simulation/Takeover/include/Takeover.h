#ifndef Takeover_h
#define Takeover_h

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The outside world of one process, taken over: its clock, its randomness and its disks. Until takeover_begin everything
// is real. One thread only.

/// From now on clocks show `now` (nanoseconds since the start of the simulation) and random bytes come from `seed`.
void takeover_begin(uint64_t seed);
void takeover_set_clock(int64_t now);
int64_t takeover_clock(void);
/// Real nanoseconds, for measuring.
int64_t takeover_real_clock(void);

/// Starts the program again without address space randomisation and with fixed hashing, unless that is so already.
/// Returns only when that is so, or cannot be had.
void takeover_fix_process(char **arguments);

/// fork(2), which Swift hides; only for a process with one thread. The child is killed after `limit` seconds of processor
/// time, or after fifteen times as many of any time.
pid_t takeover_fork(unsigned limit);

// Disks. A path that holds "/machine-N/" lies on disk N; every other path is on none and fails.

enum { takeover_disks = 16 };

typedef struct {
    /// Writes and syncs fail with an I/O error.
    bool broken;
    /// Writes fail because there is no room.
    bool full;
    /// Syncs of files whose name ends so only pretend, and the death of a process takes unsynced writes along.
    const char *lying;
    /// Writes and syncs until the process of this disk dies in the middle of one; 0 for never.
    int64_t fuse;
    /// The fuse has burnt down: nothing that the process does reaches the disk any more.
    bool burnt;
    /// Writes, syncs and truncations so far.
    int64_t actions;
} takeover_disk;

/// Makes the simulated disks SQLite's only ones.
bool takeover_mount(void);
takeover_disk *takeover_disk_state(int disk);
/// The process that uses the disk is gone: its open files are dead and its locks are free.
/// With `power`, each write that was not synced is lost, torn or kept, by chance.
void takeover_disk_orphan(int disk, bool power);
/// Bytes of the files on the disk whose names end so.
int64_t takeover_disk_size(int disk, const char *suffix);

#endif
