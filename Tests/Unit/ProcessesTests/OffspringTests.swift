import Glibc
import Processes
import Synchronization
import TestSupport
import Testing

/// What a child leaves behind or hides when it is stopped.
@Suite struct OffspringTests {
    /// Ways to get out of the child's process group; each keeps the outputs and ignores what can be ignored.
    static let escapes = [
        // A session of its own, the parent alive.
        "setsid sh -c '\(stubborn)' & wait",
        // The same without the child's environment.
        "env -i setsid sh -c '\(stubborn)' & wait",
        // An orphan in a session of its own.
        "setsid -f sh -c '\(stubborn)'; sleep 600",
        // An orphan of an orphan, whose environment is gone; the one between lives.
        "setsid -f sh -c 'env -i setsid sh -c \"trap : TERM HUP; echo \\$\\$; while :; do sleep 0.05; done\" & wait'; sleep 600",
    ]
    private static let stubborn = #"trap "" TERM HUP; echo $$; while :; do sleep 0.05; done"#

    @Test(arguments: escapes, [false, true])
    func `nothing of a stopped child is left, wherever it hides`(script: String, byDeadline: Bool) async throws {
        let said = Mutex("")
        let request = ProcessRequest(
            "/bin/sh", ["-c", script], deadline: byDeadline ? .seconds(2) : nil, grace: .milliseconds(500))
        let task = Task {
            try await Child.run(request) { _, bytes in said.withLock { $0 += String(decoding: bytes, as: UTF8.self) } }
        }
        #expect(await eventually { said.withLock { $0.hasSuffix("\n") } })
        let hidden = try #require(said.withLock { pid_t($0.split(separator: "\n").last ?? "") })
        if !byDeadline { task.cancel() }
        let outcome = try await task.value
        #expect(outcome.ended == (byDeadline ? .deadline : .cancelled))
        #expect(await eventually { kill(hidden, 0) != 0 }, "process \(hidden) is left")
    }

    @Test func `a process in a session of its own that holds the pipes does not hold the call`() async throws {
        let outcome = try await Child.run(ProcessRequest("/bin/sh", ["-c", "setsid -f sleep 600; echo done"]))
        #expect(outcome.succeeded)
        #expect(outcome.outputText == "done\n")
        // A normal end leaves what was put into the background alone.
        let left = try await Child.run(
            ProcessRequest("/bin/sh", ["-c", "setsid -f sh -c 'echo $$; exec sleep 600'; sleep 1"]))
        let pid = try #require(pid_t(left.outputText.dropLast()))
        #expect(kill(pid, SIGKILL) == 0)
    }

    @Test func `two runs do not end each other's offspring`() async throws {
        let said = Mutex("")
        let script = "setsid -f sh -c 'echo $$; exec sleep 600'; sleep 600"
        let first = Task {
            try await Child.run(ProcessRequest("/bin/sh", ["-c", script])) { _, bytes in
                said.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
            }
        }
        #expect(await eventually { said.withLock { $0.hasSuffix("\n") } })
        let pid = try #require(said.withLock { pid_t($0.dropLast()) })
        let second = try await Child.run(ProcessRequest("/bin/sh", ["-c", script], deadline: .milliseconds(500)))
        #expect(second.ended == .deadline)
        #expect(kill(pid, 0) == 0)
        first.cancel()
        _ = try await first.value
        #expect(await eventually { kill(pid, 0) != 0 })
    }

    @Test(.enabled(if: MemoryGroup.isAvailable, "needs a memory control group"))
    func `a child that the kernel kills for its memory says so by its signal`() async throws {
        let group = try MemoryGroup(bytes: 16 << 20)
        let script = "echo $$ > \(group.members); echo fat >&2; exec tail /dev/zero"
        let outcome = try await Child.run(ProcessRequest("/bin/sh", ["-c", script], deadline: .seconds(60)))
        #expect(outcome.exit == .signal(SIGKILL))
        #expect(outcome.ended == .itself)
        #expect(!outcome.killed)
        #expect(outcome.errorText == "fat\n")
    }

    @Test func `a gigabyte is read to its end and not kept`() async throws {
        let before = try #require(Self.anonymousMemory())
        let peak = Mutex(0)
        let watch = Task {
            while !Task.isCancelled {
                let now = Self.anonymousMemory() ?? 0
                peak.withLock { $0 = max($0, now) }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        let outcome = try await Child.run(
            ProcessRequest("head", ["-c", "\(1 << 30)", "/dev/zero"], deadline: .seconds(300), outputLimit: 4096))
        watch.cancel()
        #expect(outcome.succeeded && outcome.truncated)
        #expect(outcome.stdout.count == 4096)
        #expect(peak.withLock { $0 } - before < 200 << 20, "\(peak.withLock { $0 } - before) bytes more")
    }

    /// Bytes of this process that no file stands behind.
    private static func anonymousMemory() -> Int? {
        guard let file = fopen("/proc/self/status", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix("RssAnon:") {
                return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
            }
        }
        return nil
    }
}
