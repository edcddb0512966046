import Glibc
import TestSupport

/// A wall clock that a test sets for a process: a library that is loaded before the system's and adds an offset, which it
/// reads from a file, to the real time. The monotonic clocks stay as they are.
struct SetClock {
    private static let source = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>
        static volatile long *offset;
        __attribute__((constructor)) static void begin(void) {
            const char *name = getenv("INNKEEPER_TEST_CLOCK");
            int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
            void *page = file < 0 ? MAP_FAILED : mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
            if (page != MAP_FAILED) offset = page;
        }
        int clock_gettime(clockid_t clock, struct timespec *time) {
            int result = syscall(SYS_clock_gettime, clock, time);
            if (result == 0 && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
                time->tv_sec += *offset;
            return result;
        }
        int gettimeofday(struct timeval *time, void *zone) {
            struct timespec now;
            int result = clock_gettime(CLOCK_REALTIME, &now);
            time->tv_sec = now.tv_sec;
            time->tv_usec = now.tv_nsec / 1000;
            return result;
        }
        time_t time(time_t *out) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (out) *out = now.tv_sec;
            return now.tv_sec;
        }
        """

    let name: String
    private let folder: ScratchFolder

    /// Builds the library in the folder, once for all its clocks.
    init(_ name: String, in folder: ScratchFolder) async throws {
        (self.name, self.folder) = (name, folder)
        try set(0)
        guard access(folder.file("clock.so"), F_OK) != 0 else { return }
        try folder.write(Array(Self.source.utf8), to: "clock.c")
        try await BackgroundProgram.run(
            "cc", ["-shared", "-fPIC", "-O1", "-o", folder.file("clock.so"), folder.file("clock.c")],
            log: folder.file("cc.log"))
    }

    /// What a program is started behind, to live by this clock.
    var launcher: [String] {
        ["env", "LD_PRELOAD=\(folder.file("clock.so"))", "INNKEEPER_TEST_CLOCK=\(folder.file("\(name).clock"))"]
    }

    /// Sets the clock, seconds off the true time.
    func set(_ seconds: Int64) throws {
        let file = open(folder.file("\(name).clock"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SetupFailure("no clock") }
        defer { close(file) }
        var seconds = seconds
        guard pwrite(file, &seconds, 8, 0) == 8 else { throw SetupFailure("no clock") }
    }
}
