import Glibc
import Processes
import Synchronization
import Testing

@Suite struct ChildInputTests {
    @Test func `without input a child reads the end at once`() async throws {
        #expect(try await Child.run(ProcessRequest("cat")).stdout.isEmpty)
    }

    @Test func `ten megabytes go in and come out`() async throws {
        let bytes = (0..<10_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let request = ProcessRequest("cat", standardInput: .bytes(bytes), outputLimit: 20_000_000)
        #expect(try await Child.run(request).stdout == bytes)
    }

    @Test func `a stream of chunks is fed until it finishes`() async throws {
        let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
        async let outcome = Child.run(ProcessRequest("cat", standardInput: .stream(stream)))
        for word in ["one ", "two ", "three"] { continuation.yield(Array(word.utf8)) }
        continuation.finish()
        #expect(try await outcome.outputText == "one two three")
    }

    @Test func `a child that does not read its input ends well`() async throws {
        let bytes = [UInt8](repeating: 1, count: 5_000_000)
        let outcome = try await Child.run(
            ProcessRequest("/bin/sh", ["-c", "exec <&-; echo done"], standardInput: .bytes(bytes)))
        #expect(outcome.succeeded)
        #expect(outcome.outputText == "done\n")
    }

    @Test func `a child that closes its input early is fed no more, and ends as it likes`() async throws {
        let taken = Mutex(0)
        let endless = AsyncStream<[UInt8]> {
            taken.withLock { $0 += 1 }
            return [UInt8](repeating: 1, count: 1024)
        }
        let outcome = try await Child.run(
            ProcessRequest(
                "/bin/sh", ["-c", "head -c 1 >/dev/null; exec <&-; sleep 1; exit 3"], standardInput: .stream(endless)))
        #expect(outcome.exit == .code(3) && outcome.ended == .itself)
        // What its pipe has held, and the piece that was refused.
        #expect(taken.withLock { $0 } < 200)
    }

    @Test func `an input stream that never finishes does not hold a child that ends`() async throws {
        let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
        continuation.yield(Array("hello\n".utf8))
        let outcome = try await Child.run(
            ProcessRequest("/bin/sh", ["-c", "read line; echo $line"], standardInput: .stream(stream)))
        #expect(outcome.outputText == "hello\n")
    }

    @Test func `input goes on after a child has closed its outputs`() async throws {
        let file = "/tmp/innkeeper-input-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        defer { unlink(file) }
        let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
        let script = "exec >\(file) 2>&-; cat"
        async let outcome = Child.run(ProcessRequest("/bin/sh", ["-c", script], standardInput: .stream(stream)))
        try await Task.sleep(for: .milliseconds(100))
        continuation.yield(Array("late".utf8))
        continuation.finish()
        #expect(try await outcome.succeeded)
        let check = try await Child.run(ProcessRequest("cat", [file]))
        #expect(check.outputText == "late")
    }
}
