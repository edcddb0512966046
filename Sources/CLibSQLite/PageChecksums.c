#include "CLibSQLite.h"
#include <string.h>

// An SQLite VFS that keeps a checksum in the last 8 bytes of every page of a database file, in the space that SQLite
// leaves free when asked to (the "reserved bytes" of the file format). All else is the system's own VFS.
//
// Journals and write-ahead logs carry checksums of SQLite's own and pass through untouched.

enum { sum_bytes = 8, reserved_bytes_offset = 20, smallest_page = 512, largest_page = 65536 };

typedef struct {
    sqlite3_file base;
    // 1: pages carry sums. 0: they do not. -1: the file has no header yet.
    int has_sums;
    sqlite3_file *real;
} checked_file;

static sqlite3_vfs *real_vfs;

static sqlite3_file *real(sqlite3_file *file) { return ((checked_file *)file)->real; }

// Every step is a bijection of the state, so that no change within one word can go unseen.
static sqlite3_uint64 sum(const unsigned char *page, int count, sqlite3_int64 offset) {
    sqlite3_uint64 state = 0x9e3779b97f4a7c15u ^ (sqlite3_uint64)offset;
    for (int index = 0; index < count; index += 8) {
        sqlite3_uint64 word;
        memcpy(&word, page + index, 8);
        state = (state ^ word) * 0xff51afd7ed558ccdu;
        state ^= state >> 32;
    }
    return state;
}

static int is_page(int amount, sqlite3_int64 offset) {
    return amount >= smallest_page && amount <= largest_page && (amount & (amount - 1)) == 0 && offset % amount == 0;
}

static int is_zero(const unsigned char *page, int count) {
    for (int index = 0; index < count; index++)
        if (page[index]) return 0;
    return 1;
}

static void learn(checked_file *file, const unsigned char *header) {
    file->has_sums = header[reserved_bytes_offset] == sum_bytes;
}

// Another connection may have made the file after this one opened it.
static int has_sums(checked_file *file) {
    unsigned char header[reserved_bytes_offset + 1];
    if (file->has_sums < 0 && file->real->pMethods->xRead(file->real, header, sizeof header, 0) == SQLITE_OK)
        learn(file, header);
    return file->has_sums == 1;
}

static int checked_read(sqlite3_file *base, void *buffer, int amount, sqlite3_int64 offset) {
    checked_file *file = (checked_file *)base;
    int result = file->real->pMethods->xRead(file->real, buffer, amount, offset);
    // A part of a page, at the end of a file that was cut, comes with zeros behind it: it must not pass for a page.
    if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ) return result;
    const unsigned char *page = buffer;
    if (result == SQLITE_OK && offset == 0 && amount > reserved_bytes_offset) learn(file, page);
    if (!is_page(amount, offset) || !has_sums(file)) return result;
    sqlite3_uint64 stored;
    memcpy(&stored, page + amount - sum_bytes, sum_bytes);
    if (stored == sum(page, amount - sum_bytes, offset)) return result;
    // A page that was freed before it was ever written is a hole in the file.
    return is_zero(page, amount) ? result : SQLITE_IOERR_DATA;
}

static int checked_write(sqlite3_file *base, const void *buffer, int amount, sqlite3_int64 offset) {
    checked_file *file = (checked_file *)base;
    if (offset == 0 && amount > reserved_bytes_offset) learn(file, buffer);
    if (is_page(amount, offset) && has_sums(file)) {
        // SQLite never looks at the reserved bytes of its buffer, and lets a VFS write them.
        unsigned char *page = (unsigned char *)buffer;
        sqlite3_uint64 value = sum(page, amount - sum_bytes, offset);
        memcpy(page + amount - sum_bytes, &value, sum_bytes);
    }
    return file->real->pMethods->xWrite(file->real, buffer, amount, offset);
}

static int checked_close(sqlite3_file *f) { return real(f)->pMethods->xClose(real(f)); }
static int checked_truncate(sqlite3_file *f, sqlite3_int64 n) { return real(f)->pMethods->xTruncate(real(f), n); }
static int checked_sync(sqlite3_file *f, int flags) { return real(f)->pMethods->xSync(real(f), flags); }
static int checked_size(sqlite3_file *f, sqlite3_int64 *n) { return real(f)->pMethods->xFileSize(real(f), n); }
static int checked_lock(sqlite3_file *f, int level) { return real(f)->pMethods->xLock(real(f), level); }
static int checked_unlock(sqlite3_file *f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
static int checked_reserved(sqlite3_file *f, int *is) { return real(f)->pMethods->xCheckReservedLock(real(f), is); }
static int checked_control(sqlite3_file *f, int op, void *p) { return real(f)->pMethods->xFileControl(real(f), op, p); }
static int checked_sector(sqlite3_file *f) { return real(f)->pMethods->xSectorSize(real(f)); }
static int checked_traits(sqlite3_file *f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
static int checked_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **at) {
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, at);
}
static int checked_shm_lock(sqlite3_file *f, int offset, int n, int flags) {
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}
static void checked_shm_barrier(sqlite3_file *f) { real(f)->pMethods->xShmBarrier(real(f)); }
static int checked_shm_unmap(sqlite3_file *f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); }

// Version 2 has no xFetch: pages that were mapped instead of read would not be checked.
static const sqlite3_io_methods checked_methods = {
    2, checked_close, checked_read, checked_write, checked_truncate, checked_sync, checked_size, checked_lock,
    checked_unlock, checked_reserved, checked_control, checked_sector, checked_traits, checked_shm_map,
    checked_shm_lock, checked_shm_barrier, checked_shm_unmap, 0, 0,
};

static int checked_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out) {
    if (!(flags & SQLITE_OPEN_MAIN_DB)) return real_vfs->xOpen(real_vfs, name, base, flags, out);
    checked_file *file = (checked_file *)base;
    file->base.pMethods = 0;
    file->has_sums = -1;
    file->real = (sqlite3_file *)(file + 1);
    int result = real_vfs->xOpen(real_vfs, name, file->real, flags, out);
    if (file->real->pMethods) file->base.pMethods = &checked_methods;
    return result;
}

static int vfs_delete(sqlite3_vfs *v, const char *n, int sync) { return real_vfs->xDelete(real_vfs, n, sync); }
static int vfs_access(sqlite3_vfs *v, const char *n, int f, int *r) { return real_vfs->xAccess(real_vfs, n, f, r); }
static int vfs_path(sqlite3_vfs *v, const char *n, int c, char *o) { return real_vfs->xFullPathname(real_vfs, n, c, o); }
static int vfs_random(sqlite3_vfs *v, int count, char *out) { return real_vfs->xRandomness(real_vfs, count, out); }
static int vfs_sleep(sqlite3_vfs *v, int microseconds) { return real_vfs->xSleep(real_vfs, microseconds); }
static int vfs_time(sqlite3_vfs *v, double *time) { return real_vfs->xCurrentTime(real_vfs, time); }
static int vfs_error(sqlite3_vfs *v, int count, char *text) { return real_vfs->xGetLastError(real_vfs, count, text); }
static int vfs_time64(sqlite3_vfs *v, sqlite3_int64 *time) { return real_vfs->xCurrentTimeInt64(real_vfs, time); }

static sqlite3_vfs checked_vfs = {
    .iVersion = 2, .zName = INNKEEPER_SQLITE_VFS, .xOpen = checked_open, .xDelete = vfs_delete,
    .xAccess = vfs_access, .xFullPathname = vfs_path, .xRandomness = vfs_random, .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time, .xGetLastError = vfs_error, .xCurrentTimeInt64 = vfs_time64,
};

int innkeeper_sqlite_register_checksums(void) {
    real_vfs = sqlite3_vfs_find(0);
    if (!real_vfs || real_vfs->iVersion < 2) return SQLITE_ERROR;
    checked_vfs.szOsFile = (int)sizeof(checked_file) + real_vfs->szOsFile;
    checked_vfs.mxPathname = real_vfs->mxPathname;
    return sqlite3_vfs_register(&checked_vfs, 0);
}

int innkeeper_sqlite_reserve_checksums(sqlite3 *database) {
    int count = sum_bytes;
    return sqlite3_file_control(database, "main", SQLITE_FCNTL_RESERVE_BYTES, &count);
}

int innkeeper_sqlite_keep_log(sqlite3 *database, int keep) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep, (int *)0);
}
