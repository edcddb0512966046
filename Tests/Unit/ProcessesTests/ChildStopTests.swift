import Glibc
import Processes
import Synchronization
import Testing

@Suite struct ChildStopTests {
    func shell(_ script: String, deadline: Duration? = nil, grace: Duration = .seconds(30)) -> ProcessRequest {
        ProcessRequest("/bin/sh", ["-c", script], deadline: deadline, grace: grace)
    }

    @Test func `a hanging child is ended at its deadline`() async throws {
        let outcome = try await Child.run(shell("echo begun; exec sleep 600", deadline: .milliseconds(300)))
        #expect(outcome.ended == .deadline)
        #expect(outcome.exit == .signal(SIGTERM))
        #expect(!outcome.killed)
        #expect(outcome.outputText == "begun\n")
    }

    @Test func `a child that ignores TERM is killed after the grace`() async throws {
        let script = "trap '' TERM; echo begun; while :; do sleep 0.05; done"
        let outcome = try await Child.run(shell(script, deadline: .milliseconds(300), grace: .milliseconds(300)))
        #expect(outcome.ended == .deadline)
        #expect(outcome.exit == .signal(SIGKILL))
        #expect(outcome.killed)
    }

    @Test func `a child may clean up after TERM and its last words are kept`() async throws {
        let script = "trap 'echo cleaned; exit 0' TERM; echo begun; while :; do sleep 0.05; done"
        let outcome = try await Child.run(shell(script, deadline: .milliseconds(500)))
        #expect(outcome.ended == .deadline)
        #expect(outcome.exit == .code(0))
        #expect(outcome.outputText == "begun\ncleaned\n")
        #expect(!outcome.succeeded)
    }

    @Test func `cancelling the task stops the whole group`() async throws {
        let pids = Mutex("")
        let task = Task {
            try await Child.run(shell("sleep 600 & sleep 601 & echo $! $$; wait")) { _, bytes in
                pids.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
            }
        }
        try await wait { pids.withLock { $0.hasSuffix("\n") } }
        task.cancel()
        let outcome = try await task.value
        #expect(outcome.ended == .cancelled)
        #expect(outcome.exit == .signal(SIGTERM))
        for pid in pids.withLock({ $0.split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) } }) {
            try await wait { isGone(pid) }
        }
    }

    @Test func `group members that ignore TERM are killed when the child itself obeys`() async throws {
        let pids = Mutex("")
        let script = "sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.05; done' & wait"
        let task = Task {
            try await Child.run(shell(script)) { _, bytes in
                pids.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
            }
        }
        try await wait { pids.withLock { $0.hasSuffix("\n") } }
        task.cancel()
        #expect(try await task.value.ended == .cancelled)
        let stubborn = try #require(pids.withLock { pid_t($0.dropLast()) })
        try await wait { isGone(stubborn) }
    }

    @Test func `a task cancelled before the start starts nothing`() async throws {
        let file = "/tmp/innkeeper-never-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let gate = AsyncStream<Void>.makeStream()
        let task = Task {
            for await _ in gate.stream {}
            return try await Child.run(shell("touch \(file)"))
        }
        task.cancel()
        gate.continuation.finish()
        await #expect(throws: ProcessError.cancelled) { try await task.value }
        #expect(access(file, F_OK) != 0)
    }

    @Test func `a deadline also cuts a consumer that waits for credit`() async throws {
        let outcome = try await Child.run(
            shell("echo x; sleep 600", deadline: .milliseconds(300))
        ) { _, _ throws(CancellationError) in
            do { try await Task.sleep(for: .seconds(600)) } catch { throw CancellationError() }
        }
        #expect(outcome.ended == .deadline)
    }

    @Test func `a child that ended in time keeps its own ending when the consumer is cut`() async throws {
        let outcome = try await Child.run(
            shell("echo x; exit 4", deadline: .milliseconds(600))
        ) { _, _ throws(CancellationError) in
            do { try await Task.sleep(for: .seconds(600)) } catch { throw CancellationError() }
        }
        #expect(outcome.ended == .itself)
        #expect(outcome.exit == .code(4))
    }

    /// A frozen process does not even obey KILL, like one that hangs in the kernel on a suspended pool.
    @Test(.enabled(if: access("/sys/fs/cgroup/freezer/cgroup.procs", W_OK) == 0, "needs the v1 freezer"))
    func `a child that not even KILL ends does not hold the call`() async throws {
        let group = "/sys/fs/cgroup/freezer/innkeeper-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        #expect(mkdir(group, 0o755) == 0)
        defer { rmdir(group) }
        // The child goes in by itself, so that everything it does afterwards happens frozen.
        let script = "echo $$ > \(group)/cgroup.procs; echo in; sleep 600"
        let begun = Mutex(false)
        let task = Task {
            try await Child.run(shell(script, grace: .milliseconds(100))) { _, _ in begun.withLock { $0 = true } }
        }
        try await wait { begun.withLock { $0 } }
        try write("FROZEN", to: "\(group)/freezer.state")
        task.cancel()
        await #expect { try await task.value } throws: {
            if case .unstoppable = $0 as? ProcessError { true } else { false }
        }
        try write("THAWED", to: "\(group)/freezer.state")
        try await wait { rmdir(group) == 0 }
    }

    private func isGone(_ pid: pid_t) -> Bool { kill(pid, 0) != 0 }

    private func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY)
        try #require(file >= 0)
        defer { close(file) }
        #expect(Glibc.write(file, text, text.utf8.count) == text.utf8.count)
    }

    private func wait(_ condition: () -> Bool) async throws {
        for _ in 0..<1000 {
            if condition() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("the condition did not come true within 20 seconds")
    }
}
