// Preloaded into a daemon: sees every durable write below one folder and kills the process at a chosen one.
//
// It stands before libc's calls on files and before SQLite's step. So it knows which statements a commit carries, and can
// strike before the commit's first byte, in the middle of its last page, or once it is done and nobody has been told.
//
// Environment: INNKEEPER_BLOW_FOLDER, below which writes count; INNKEEPER_BLOW_PLAN, a file of `struct plan` that the test
// writes into while the daemon runs; INNKEEPER_BLOW_LOG, where each event is noted; INNKEEPER_BLOW_CHECKPOINT, pages of
// log after which SQLite writes them into the database, when it is not to be SQLite's own choice.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum scope { COMMITS = 0, CALLS = 1 };
// CUT is BEFORE, and what no sync has brought to the disk is lost as well, as in a power failure.
enum moment { WATCH = 0, BEFORE = 1, TORN = 2, AFTER = 3, CUT = 4 };

struct plan {
    _Atomic uint32_t armed;
    uint32_t scope, moment, nth;
    char marks[3][320];  // each must occur in one statement (or in one call's line); empty ones always do
};

typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
enum { SQLITE_ROW = 100, SQLITE_DONE = 101 };

static struct plan *plan;
static char folder[4096];
static int journal = -1;
static uint32_t generation, hits;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...)                                   \
    static type (*real)(__VA_ARGS__);                           \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)
#define ASK(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_DEFAULT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *root = getenv("INNKEEPER_BLOW_FOLDER"), *file = getenv("INNKEEPER_BLOW_PLAN");
    const char *log = getenv("INNKEEPER_BLOW_LOG");
    if (!root || !file || !log) return;
    snprintf(folder, sizeof folder, "%s", root);
    int descriptor = open(file, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return;
    void *memory = mmap(NULL, sizeof(struct plan), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    syscall(SYS_close, descriptor);
    journal = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (memory != MAP_FAILED && journal >= 0) plan = memory;
}

// MARK: what the test hears

static void note(char kind, const char *text) {
    // What tells one statement from another is at its beginning and its end.
    enum { HALF = 2000 };
    size_t all = strlen(text), length = all > 2 * HALF ? 2 * HALF : all;
    char *line = malloc(length + 3);
    if (!line) return;
    line[0] = kind;
    line[1] = ' ';
    for (size_t i = 0; i < length; i++) {
        char one = text[i < HALF ? i : all - length + i];
        line[2 + i] = one == '\n' ? ' ' : one;
    }
    line[length + 2] = '\n';
    syscall(SYS_write, journal, line, length + 3);
    free(line);
}

static int matches(const char *text) {
    for (int i = 0; i < 3; i++)
        if (plan->marks[i][0] && !strstr(text, plan->marks[i])) return 0;
    return 1;
}

// Arming again begins a new count.
static int armed(enum scope scope) {
    if (!plan) return 0;
    uint32_t now = atomic_load(&plan->armed);
    if (!now || plan->scope != scope) return 0;
    pthread_mutex_lock(&lock);
    if (now != generation) generation = now, hits = 0;
    pthread_mutex_unlock(&lock);
    return 1;
}

// Whether this is the event that is waited for.
static int is_chosen(void) {
    pthread_mutex_lock(&lock);
    int chosen = ++hits == plan->nth && plan->moment != WATCH;
    pthread_mutex_unlock(&lock);
    return chosen;
}

static void lose_unsynced(void);

static void die(const char *where) {
    if (plan->moment == CUT) lose_unsynced();
    note('K', where);
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) pause();
}

// MARK: what is not on the disk yet

struct unsynced {
    struct unsynced *next;
    dev_t device;
    ino_t file;
    off_t offset, size;  // size: of the file before the write
    size_t length;
    int descriptor;
    char old[];
};

static struct unsynced *unsynced;

static void remember(int descriptor, off_t offset, size_t length) {
    struct stat status;
    if (fstat(descriptor, &status) || !S_ISREG(status.st_mode)) return;
    struct unsynced *entry = calloc(1, sizeof *entry + length);
    if (!entry) return;
    entry->device = status.st_dev, entry->file = status.st_ino;
    entry->offset = offset, entry->size = status.st_size, entry->length = length, entry->descriptor = descriptor;
    syscall(SYS_pread64, descriptor, entry->old, length, offset);
    pthread_mutex_lock(&lock);
    entry->next = unsynced, unsynced = entry;
    pthread_mutex_unlock(&lock);
}

static void synced(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status)) return;
    pthread_mutex_lock(&lock);
    struct unsynced **place = &unsynced;
    while (*place) {
        struct unsynced *entry = *place;
        if (entry->device == status.st_dev && entry->file == status.st_ino) {
            *place = entry->next;
            free(entry);
        } else {
            place = &entry->next;
        }
    }
    pthread_mutex_unlock(&lock);
}

// The newest first, so that each file is again what it was at its last sync.
static void lose_unsynced(void) {
    char text[64];
    int count = 0;
    pthread_mutex_lock(&lock);
    for (struct unsynced *entry = unsynced; entry; entry = entry->next, count++) {
        struct stat status;
        if (fstat(entry->descriptor, &status) || status.st_ino != entry->file) continue;
        syscall(SYS_pwrite64, entry->descriptor, entry->old, entry->length, entry->offset);
        if (status.st_size > entry->size) syscall(SYS_ftruncate, entry->descriptor, entry->size);
    }
    pthread_mutex_unlock(&lock);
    snprintf(text, sizeof text, "%d", count);
    note('L', text);
}

// MARK: transactions

struct transaction {
    sqlite3 *database;
    int counts;  // its file is below the folder
    int wrote, written, matched, chosen;
};

static struct transaction transactions[64];
static _Thread_local struct transaction *current;
static _Thread_local int last_page;  // the descriptor whose next write is the last page of a commit

static struct transaction *transaction(sqlite3 *database) {
    struct transaction *found = NULL;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < 64 && !found; i++)
        if (transactions[i].database == database) found = &transactions[i];
    for (int i = 0; i < 64 && !found; i++)
        if (!transactions[i].database) found = &transactions[i], found->database = database;
    pthread_mutex_unlock(&lock);
    if (!found) return NULL;
    // The handle of a closed connection may be another's now.
    const char *path = ASK(const char *, sqlite3_db_filename, sqlite3 *, const char *)(database, "main");
    found->counts = path && !strncmp(path, folder, strlen(folder));
    return found;
}

static int begins(const char *text, const char *word) { return !strncasecmp(text, word, strlen(word)); }

static int changes(const char *sql) {
    const char *words[] = {"INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "ALTER", "DROP", "WITH"};
    while (*sql == ' ' || *sql == '\n') sql++;
    for (int i = 0; i < 8; i++)
        if (begins(sql, words[i])) return 1;
    return 0;
}

static void noted(struct transaction *one, sqlite3_stmt *statement) {
    char *text = ASK(char *, sqlite3_expanded_sql, sqlite3_stmt *)(statement);
    if (!text) return;
    note('S', text);
    if (!one->matched && matches(text)) one->matched = 1;
    ASK(void, sqlite3_free, void *)(text);
}

static void over(struct transaction *one) { one->wrote = one->written = one->matched = one->chosen = 0; }

int sqlite3_step(sqlite3_stmt *statement) {
    REAL(int, sqlite3_step, sqlite3_stmt *);
    if (!armed(COMMITS)) return real(statement);
    sqlite3 *database = ASK(sqlite3 *, sqlite3_db_handle, sqlite3_stmt *)(statement);
    struct transaction *one = transaction(database);
    const char *sql = ASK(const char *, sqlite3_sql, sqlite3_stmt *)(statement);
    if (!one || !one->counts || !sql) return real(statement);
    if (changes(sql) && !ASK(int, sqlite3_stmt_busy, sqlite3_stmt *)(statement)) {
        one->wrote = 1;
        noted(one, statement);
    }
    struct transaction *outer = current;
    current = one;
    int code = real(statement);
    current = outer;
    if (!one->wrote || code == SQLITE_ROW || !ASK(int, sqlite3_get_autocommit, sqlite3 *)(database)) return code;
    // What found nothing to change has written nothing.
    note(code == SQLITE_DONE && one->written ? 'C' : 'R', sql);
    if (one->chosen && plan->moment == AFTER) die("after the commit");
    over(one);
    return code;
}

int sqlite3_open_v2(const char *name, sqlite3 **database, int flags, const char *system) {
    REAL(int, sqlite3_open_v2, const char *, sqlite3 **, int, const char *);
    int code = real(name, database, flags, system);
    const char *pages = getenv("INNKEEPER_BLOW_CHECKPOINT");
    if (!code && pages) ASK(int, sqlite3_wal_autocheckpoint, sqlite3 *, int)(*database, atoi(pages));
    return code;
}

static int ends(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

// Returns how many bytes of this write are to be done before the process dies; -1 to live.
static ssize_t commits(int descriptor, const char *path, const void *bytes, size_t length) {
    struct transaction *one = current;
    if (!one || !ends(path, "-wal")) return -1;
    one->written = 1;
    if (!one->matched) return -1;
    if (!one->chosen) {
        if (one->matched != 1) return -1;
        one->matched = 2;  // counted
        one->chosen = is_chosen();
        if (one->chosen && (plan->moment == BEFORE || plan->moment == CUT)) return 0;
    }
    if (!one->chosen || plan->moment != TORN) return -1;
    if (last_page == descriptor + 1) return (ssize_t)(length / 2);
    // A frame's header: page number, then the size of the database in the last frame of a commit and 0 in others.
    const unsigned char *head = bytes;
    if (length == 24 && (head[4] | head[5] | head[6] | head[7])) last_page = descriptor + 1;
    return -1;
}

// MARK: files

static int counts(int descriptor, char *path, size_t size) {
    char link[64];
    if (!plan) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, size - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return !strncmp(path, folder, strlen(folder));
}

static void resolve(const char *name, char *path, size_t size) {
    if (name[0] == '/') snprintf(path, size, "%s", name);
    else path[0] = 0;
}

// Notes the call. Returns whether it is the one to die at.
static int called(const char *name, const char *path) {
    char line[4200];
    if (!armed(CALLS)) return 0;
    snprintf(line, sizeof line, "%s %s;", name, path + strlen(folder));
    if (!matches(line)) return 0;
    note('F', line);
    return is_chosen();
}

static ssize_t written(const char *name, int descriptor, const void *bytes, size_t length, off_t offset, int number) {
    char path[4096];
#define DO(count) \
    (number == SYS_write ? syscall(number, descriptor, bytes, count) : syscall(number, descriptor, bytes, count, offset))
    if (!plan || !counts(descriptor, path, sizeof path)) return DO(length);
    int chosen = called(name, path);
    if (chosen && (plan->moment == BEFORE || plan->moment == CUT)) die("before a write");
    ssize_t part = chosen && plan->moment == TORN ? (ssize_t)(length / 2) : commits(descriptor, path, bytes, length);
    if (part >= 0) {
        if (part > 0) DO((size_t)part);
        die(part ? "in the middle of a write" : "before the commit");
    }
    if (number != SYS_write) remember(descriptor, offset, length);
    ssize_t count = DO(length);
    if (chosen) die("after a write");
    return count;
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
    return written("write", descriptor, bytes, length, 0, SYS_write);
}
ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset) {
    return written("pwrite", descriptor, bytes, length, offset, SYS_pwrite64);
}
ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off_t offset) {
    return written("pwrite", descriptor, bytes, length, offset, SYS_pwrite64);
}

// A call that is done whole or not at all.
#define WHOLE(name, path, call)                                                  \
    int chosen = plan && called(name, path);                                     \
    if (chosen && plan->moment != AFTER && plan->moment != WATCH) die("before " name); \
    int code = (int)(call);                                                      \
    if (chosen) die("after " name);                                              \
    return code

static int on_descriptor(const char *name, int descriptor, int number, off_t size) {
    char path[4096];
    if (!plan || !counts(descriptor, path, sizeof path)) return (int)syscall(number, descriptor, size);
    int chosen = called(name, path);
    if (chosen && plan->moment != AFTER) die("before a sync");
    int code = (int)syscall(number, descriptor, size);
    if (number != SYS_ftruncate) synced(descriptor);
    if (chosen) die("after a sync");
    return code;
}

int fsync(int descriptor) { return on_descriptor("fsync", descriptor, SYS_fsync, 0); }
int fdatasync(int descriptor) { return on_descriptor("fdatasync", descriptor, SYS_fdatasync, 0); }
int ftruncate(int descriptor, off_t size) { return on_descriptor("ftruncate", descriptor, SYS_ftruncate, size); }
int ftruncate64(int descriptor, off_t size) { return on_descriptor("ftruncate", descriptor, SYS_ftruncate, size); }

static int is_below(const char *path) { return plan && !strncmp(path, folder, strlen(folder)); }

int rename(const char *from, const char *to) {
    char path[4096];
    resolve(to, path, sizeof path);
    if (!is_below(path)) return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
    WHOLE("rename", path, syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to));
}

int link(const char *from, const char *to) {
    char path[4096];
    resolve(to, path, sizeof path);
    if (!is_below(path)) return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
    WHOLE("link", path, syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int unlink(const char *name) {
    char path[4096];
    resolve(name, path, sizeof path);
    if (!is_below(path) || access(path, F_OK)) return (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
    WHOLE("unlink", path, syscall(SYS_unlinkat, AT_FDCWD, name, 0));
}

int mkdir(const char *name, mode_t mode) {
    char path[4096];
    resolve(name, path, sizeof path);
    if (!is_below(path)) return (int)syscall(SYS_mkdirat, AT_FDCWD, name, mode);
    WHOLE("mkdir", path, syscall(SYS_mkdirat, AT_FDCWD, name, mode));
}

static int opened(const char *name, int flags, mode_t mode) {
    char path[4096];
    resolve(name, path, sizeof path);
    int makes = flags & O_CREAT && is_below(path) && access(path, F_OK);
    if (!makes) return (int)syscall(SYS_openat, AT_FDCWD, name, flags, mode);
    WHOLE("create", path, syscall(SYS_openat, AT_FDCWD, name, flags, mode));
}

#define MODE(flags)                              \
    mode_t mode = 0;                             \
    if (flags & (O_CREAT | __O_TMPFILE)) {       \
        va_list rest;                            \
        va_start(rest, flags);                   \
        mode = va_arg(rest, mode_t);             \
        va_end(rest);                            \
    }

int open(const char *name, int flags, ...) {
    MODE(flags);
    return opened(name, flags, mode);
}

int open64(const char *name, int flags, ...) {
    MODE(flags);
    return opened(name, flags | O_LARGEFILE, mode);
}
