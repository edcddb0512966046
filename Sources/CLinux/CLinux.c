#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <link.h>
#include <linux/close_range.h>
#include <malloc.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/resource.h>

int linux_malloc_trim(void) { return malloc_trim(0); }

void linux_malloc_one_arena(void) { mallopt(M_ARENA_MAX, 1); }

static int release_code_of(struct dl_phdr_info *object, size_t size, void *page_size) {
    (void)size;
    uintptr_t page = *(uintptr_t *)page_size;
    // Code that was relocated in place would be lost.
    for (int i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
        const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++) {
            if (entry->d_tag == DT_TEXTREL) return 0;
            if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL)) return 0;
        }
    }
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W)) continue;
        // Whole pages of this segment only: the next one may begin in its last page.
        uintptr_t start = (object->dlpi_addr + segment->p_vaddr + page - 1) / page * page;
        uintptr_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_filesz) / page * page;
        if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void linux_release_code(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(release_code_of, &page);
}

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

void linux_forbid_dumps(void) {
    // The limit is for files, the attribute also for a handler that the kernel pipes the dump to.
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void linux_close_on_exec_from(int first) { close_range((unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC); }

int linux_clock_is_synchronised(void) {
    struct timex state = {0};
    return adjtimex(&state) < 0 ? -1 : (state.status & STA_UNSYNC) == 0;
}
