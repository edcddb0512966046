#define _GNU_SOURCE
#include "Internal.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// An SQLite file system in memory that knows what is safe and what is not: each file has the bytes that a reader sees,
// the bytes that would survive a power cut, and the writes in between.

typedef struct change {
    struct change *next;
    int64_t offset;
    // Bytes written; -1 for a truncation to `offset`.
    int64_t count;
    uint8_t bytes[];
} change;

typedef struct {
    uint8_t *bytes;
    int64_t count, room;
} content;

typedef struct file {
    struct file *next;
    char *name;
    int disk;
    content seen, safe;
    change *first, *last;
    void **shared;
    int shares;
} file;

typedef struct {
    sqlite3_file base;
    file *file;
    bool temporary;
    int64_t life;
} handle;

static file *files;
static takeover_disk states[takeover_disks];
static int64_t lives[takeover_disks];

takeover_disk *takeover_disk_state(int disk) { return &states[disk]; }

// MARK: bytes

static void set_count(content *content, int64_t count) {
    if (count > content->room) {
        content->room = count * 2 > 65536 ? count * 2 : 65536;
        content->bytes = realloc(content->bytes, (size_t)content->room);
    }
    if (count > content->count) memset(content->bytes + content->count, 0, (size_t)(count - content->count));
    content->count = count;
}

static void apply(content *content, const change *change, int64_t count) {
    if (change->count < 0) {
        if (change->offset < content->count) content->count = change->offset;
        return;
    }
    if (change->offset + count > content->count) set_count(content, change->offset + count);
    memcpy(content->bytes + change->offset, change->bytes, (size_t)count);
}

static void settle(file *file) {
    for (change *next = file->first; next != NULL;) {
        apply(&file->safe, next, next->count);
        change *done = next;
        next = next->next;
        free(done);
    }
    file->first = file->last = NULL;
}

static uint32_t dice(void) {
    uint32_t value;
    takeover_random(&value, sizeof value);
    return value;
}

// A drive may have written any of what it was not told to finish, and of one write a part.
static void lose(file *file, bool everything) {
    for (change *next = file->first; next != NULL;) {
        uint32_t fate = everything ? 1 : dice() % 4;
        if (fate == 0) apply(&file->safe, next, next->count);
        if (fate == 2 && next->count > 512) apply(&file->safe, next, (int64_t)(dice() % (next->count / 512)) * 512);
        change *done = next;
        next = next->next;
        free(done);
    }
    file->first = file->last = NULL;
    set_count(&file->seen, 0);
    set_count(&file->seen, file->safe.count);
    if (file->safe.count > 0) memcpy(file->seen.bytes, file->safe.bytes, (size_t)file->safe.count);
}

static void note(file *file, int64_t offset, const void *bytes, int64_t count) {
    change *new = malloc(sizeof(change) + (count > 0 ? (size_t)count : 0));
    new->next = NULL;
    new->offset = offset;
    new->count = count;
    if (count > 0) memcpy(new->bytes, bytes, (size_t)count);
    apply(&file->seen, new, count);
    if (file->last != NULL) file->last->next = new; else file->first = new;
    file->last = new;
}

// MARK: names

static int disk_of(const char *name) {
    const char *mark = strstr(name, "/machine-");
    if (mark == NULL) return -1;
    int disk = atoi(mark + 9);
    return disk >= 0 && disk < takeover_disks ? disk : -1;
}

static bool ends(const char *name, const char *suffix) {
    size_t length = strlen(name), tail = strlen(suffix);
    return length >= tail && strcmp(name + length - tail, suffix) == 0;
}

static file *find(const char *name) {
    for (file *next = files; next != NULL; next = next->next)
        if (strcmp(next->name, name) == 0) return next;
    return NULL;
}

static file *make(const char *name, int disk) {
    file *new = calloc(1, sizeof(file));
    new->name = strdup(name);
    new->disk = disk;
    new->next = files;
    files = new;
    return new;
}

static void forget_shares(file *file) {
    // Not freed: connections of a dead process may still point there.
    file->shared = NULL;
    file->shares = 0;
}

void takeover_disk_orphan(int disk, bool power) {
    lives[disk] += 1;
    states[disk].burnt = false;
    states[disk].fuse = 0;
    for (file *next = files; next != NULL; next = next->next) {
        if (next->disk != disk) continue;
        forget_shares(next);
        const char *lying = states[disk].lying;
        if (power || (lying != NULL && strstr(next->name, lying) != NULL)) lose(next, lying != NULL);
    }
}

int64_t takeover_disk_size(int disk, const char *suffix) {
    int64_t size = 0;
    for (file *next = files; next != NULL; next = next->next)
        if (next->disk == disk && ends(next->name, suffix)) size += next->seen.count;
    return size;
}

// MARK: one open file

static bool is_dead(handle *handle) {
    int disk = handle->file->disk;
    return disk >= 0 && (handle->life != lives[disk] || states[disk].burnt);
}

// Whether the action may be done: SQLITE_OK, or why not.
static int permit(handle *handle, bool grows) {
    int disk = handle->file->disk;
    if (disk < 0) return SQLITE_OK;
    if (is_dead(handle)) return SQLITE_IOERR;
    takeover_disk *state = &states[disk];
    state->actions += 1;
    if (state->fuse > 0 && --state->fuse == 0) {
        state->burnt = true;
        return SQLITE_IOERR;
    }
    if (state->broken) return SQLITE_IOERR_WRITE;
    if (state->full && grows) return SQLITE_FULL;
    return SQLITE_OK;
}

static int do_close(sqlite3_file *base) {
    handle *open = (handle *)base;
    if (open->temporary && open->file != NULL) {
        file *gone = open->file;
        for (file **next = &files; *next != NULL; next = &(*next)->next) {
            if (*next != gone) continue;
            *next = gone->next;
            break;
        }
        settle(gone);
        free(gone->seen.bytes);
        free(gone->safe.bytes);
        free(gone->name);
        free(gone);
    }
    open->file = NULL;
    return SQLITE_OK;
}

static int do_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset) {
    handle *open = (handle *)base;
    if (is_dead(open)) return SQLITE_IOERR_READ;
    content *seen = &open->file->seen;
    int64_t have = offset >= seen->count ? 0 : seen->count - offset;
    if (have > count) have = count;
    if (have > 0) memcpy(bytes, seen->bytes + offset, (size_t)have);
    if (have == count) return SQLITE_OK;
    memset((uint8_t *)bytes + have, 0, (size_t)(count - have));
    return SQLITE_IOERR_SHORT_READ;
}

static int do_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
    handle *open = (handle *)base;
    int verdict = permit(open, true);
    if (verdict != SQLITE_OK) return verdict;
    note(open->file, offset, bytes, count);
    if (open->file->disk < 0) settle(open->file);
    return SQLITE_OK;
}

static int do_truncate(sqlite3_file *base, sqlite3_int64 size) {
    handle *open = (handle *)base;
    int verdict = permit(open, false);
    if (verdict != SQLITE_OK) return SQLITE_IOERR_TRUNCATE;
    note(open->file, size, NULL, -1);
    return SQLITE_OK;
}

static int do_sync(sqlite3_file *base, int flags) {
    (void)flags;
    handle *open = (handle *)base;
    int verdict = permit(open, false);
    if (verdict != SQLITE_OK) return SQLITE_IOERR_FSYNC;
    const char *lying = open->file->disk < 0 ? NULL : states[open->file->disk].lying;
    if (lying != NULL && strstr(open->file->name, lying) != NULL) return SQLITE_OK;
    settle(open->file);
    return SQLITE_OK;
}

static int do_size(sqlite3_file *base, sqlite3_int64 *size) {
    *size = ((handle *)base)->file->seen.count;
    return SQLITE_OK;
}

static int do_lock(sqlite3_file *base, int level) { (void)base; (void)level; return SQLITE_OK; }
static int do_check(sqlite3_file *base, int *result) { (void)base; *result = 0; return SQLITE_OK; }
static int do_control(sqlite3_file *base, int what, void *value) {
    (void)base; (void)what; (void)value;
    return SQLITE_NOTFOUND;
}
static int do_sector(sqlite3_file *base) { (void)base; return 4096; }
static int do_traits(sqlite3_file *base) { (void)base; return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

static int do_share(sqlite3_file *base, int page, int size, int extend, void volatile **memory) {
    handle *open = (handle *)base;
    file *file = open->file;
    *memory = NULL;
    if (is_dead(open)) return SQLITE_IOERR;
    if (page >= file->shares) {
        if (!extend) return SQLITE_OK;
        file->shared = realloc(file->shared, sizeof(void *) * (size_t)(page + 1));
        while (file->shares <= page) file->shared[file->shares++] = calloc(1, (size_t)size);
    }
    *memory = file->shared[page];
    return SQLITE_OK;
}

static int do_share_lock(sqlite3_file *base, int offset, int count, int flags) {
    (void)base; (void)offset; (void)count; (void)flags;
    return SQLITE_OK;
}
static void do_barrier(sqlite3_file *base) { (void)base; }
static int do_unshare(sqlite3_file *base, int delete) {
    handle *open = (handle *)base;
    (void)delete;
    if (!is_dead(open)) forget_shares(open->file);
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    2, do_close, do_read, do_write, do_truncate, do_sync, do_size, do_lock, do_lock, do_check, do_control, do_sector,
    do_traits, do_share, do_share_lock, do_barrier, do_unshare, NULL, NULL,
};

// MARK: the file system

static int do_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags, int *result) {
    (void)vfs;
    handle *open = (handle *)base;
    static int temporaries;
    char own[32];
    snprintf(own, sizeof own, "temporary-%d", ++temporaries);
    open->temporary = name == NULL;
    const char *path = name == NULL ? own : name;
    int disk = disk_of(path);
    base->pMethods = NULL;
    if (name != NULL && disk < 0) return SQLITE_CANTOPEN;
    if (disk >= 0 && states[disk].burnt) return SQLITE_CANTOPEN;
    open->file = find(path);
    if (open->file == NULL && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    if (open->file == NULL) open->file = make(path, disk);
    open->life = disk >= 0 ? lives[disk] : 0;
    base->pMethods = &methods;
    if (result != NULL) *result = flags;
    return SQLITE_OK;
}

static int do_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    (void)vfs; (void)sync;
    int disk = disk_of(name);
    if (disk >= 0 && (states[disk].burnt || states[disk].broken)) return SQLITE_IOERR_DELETE;
    file *file = find(name);
    if (file == NULL) return SQLITE_IOERR_DELETE_NOENT;
    // The file stays in the list, empty: an open handle may still point to it.
    settle(file);
    file->seen.count = file->safe.count = 0;
    char *gone = malloc(strlen(name) + 16);
    snprintf(gone, strlen(name) + 16, "%s.deleted", name);
    free(file->name);
    file->name = gone;
    return SQLITE_OK;
}

static int do_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
    (void)vfs;
    file *file = find(name);
    *result = file != NULL && (flags != SQLITE_ACCESS_EXISTS || file->seen.count > 0);
    return SQLITE_OK;
}

static int do_path(sqlite3_vfs *vfs, const char *name, int room, char *path) {
    (void)vfs;
    snprintf(path, (size_t)room, "%s", name);
    return SQLITE_OK;
}

static int do_randomness(sqlite3_vfs *vfs, int count, char *bytes) {
    (void)vfs;
    takeover_random(bytes, (size_t)count);
    return count;
}

static int do_sleep(sqlite3_vfs *vfs, int microseconds) { (void)vfs; return microseconds; }
static int do_error(sqlite3_vfs *vfs, int count, char *text) { (void)vfs; (void)count; (void)text; return 0; }

static int do_time(sqlite3_vfs *vfs, sqlite3_int64 *time) {
    (void)vfs;
    *time = 210866760000000LL + takeover_wall_clock() / 1000000;
    return SQLITE_OK;
}

static int do_time_of_day(sqlite3_vfs *vfs, double *days) {
    sqlite3_int64 time;
    do_time(vfs, &time);
    *days = (double)time / 86400000.0;
    return SQLITE_OK;
}

bool takeover_mount(void) {
    static sqlite3_vfs system = {
        2, sizeof(handle), 512, NULL, "simulated", NULL, do_open, do_delete, do_access, do_path, NULL, NULL, NULL, NULL,
        do_randomness, do_sleep, do_time_of_day, do_error, do_time, NULL, NULL, NULL,
    };
    return sqlite3_vfs_register(&system, 1) == SQLITE_OK;
}
