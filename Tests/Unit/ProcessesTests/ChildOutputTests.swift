import Glibc
import Processes
import Synchronization
import Testing

@Suite struct ChildOutputTests {
    func shell(_ script: String) -> ProcessRequest { ProcessRequest("/bin/sh", ["-c", script]) }

    @Test func `a flood is read to its end but only the first bytes are kept`() async throws {
        var request = shell("echo first; head -c 50000000 /dev/zero; echo noise >&2")
        request.outputLimit = 1000
        let outcome = try await Child.run(request)
        #expect(outcome.exit == .code(0))
        #expect(outcome.stdout.count == 1000)
        #expect(outcome.outputText.hasPrefix("first\n"))
        #expect(outcome.errorText == "noise\n")
        #expect(outcome.truncated)
    }

    @Test func `output just as long as the limit is whole`() async throws {
        var request = shell("printf 1234")
        request.outputLimit = 4
        let outcome = try await Child.run(request)
        #expect(outcome.outputText == "1234")
        #expect(!outcome.truncated)
    }

    @Test func `a child that closes its outputs early is waited for`() async throws {
        let outcome = try await Child.run(shell("exec >&- 2>&-; sleep 0.3; exit 7"))
        #expect(outcome.exit == .code(7))
    }

    @Test func `a process left behind on the pipes does not hold the call`() async throws {
        let outcome = try await Child.run(shell("sleep 600 & echo $!"))
        #expect(outcome.exit == .code(0))
        let left = try #require(pid_t(outcome.outputText.dropLast()))
        #expect(kill(left, 0) == 0, "a normal end leaves background processes alone")
        kill(left, SIGKILL)
    }

    @Test func `a process left behind that floods the pipes does not hold the call`() async throws {
        let outcome = try await Child.run(shell("yes & echo $! >&2"))
        #expect(outcome.exit == .code(0))
        let left = try #require(pid_t(outcome.errorText.dropLast()))
        kill(left, SIGKILL)
    }

    @Test func `streamed output arrives whole and in order`() async throws {
        let sum = Mutex((count: 0, inOrder: true))
        let outcome = try await Child.run(shell("head -c 8000000 /dev/zero | tr '\\0' x; echo err >&2")) {
            stream, bytes in
            guard stream == .stdout else { return }
            sum.withLock {
                $0.count += bytes.count
                $0.inOrder = $0.inOrder && bytes.allSatisfy { $0 == UInt8(ascii: "x") }
            }
        }
        #expect(outcome.succeeded)
        #expect(sum.withLock { $0.count } == 8_000_000)
        #expect(sum.withLock { $0.inOrder })
    }

    @Test func `a consumer that takes nothing makes the child wait`() async throws {
        let gate = AsyncStream<Void>.makeStream()
        let announced = Mutex(0)
        let blocks = 100
        // Each block is announced on the other output once it has gone into the pipe.
        let script = "i=0; while [ $i -lt \(blocks) ]; do head -c 65536 /dev/zero; i=$((i+1)); echo >&2; done"
        async let outcome = Child.run(shell(script)) { stream, bytes in
            switch stream {
            case .stdout: for await _ in gate.stream {}
            case .stderr: announced.withLock { $0 += bytes.count }
            }
        }
        // However long it is given, it gets no further than one buffer and one pipe.
        try await Task.sleep(for: .milliseconds(500))
        #expect(announced.withLock { $0 } < 10)
        gate.continuation.finish()
        #expect(try await outcome.succeeded)
        #expect(announced.withLock { $0 } == blocks)
    }

    @Test func `a consumer that throws stops the child`() async throws {
        let outcome = try await Child.run(shell("echo x; sleep 600")) { _, _ throws(CancellationError) in
            throw CancellationError()
        }
        #expect(outcome.ended == .cancelled)
        #expect(outcome.exit == .signal(SIGTERM))
    }
}
