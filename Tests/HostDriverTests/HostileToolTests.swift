import DriverKit
import HostDriver
import Testing
import WireProtocol

/// Programs that do anything but answer, and what the driver calls that.
@Suite struct HostileToolTests {
    struct Deed: Sendable, CustomTestStringConvertible {
        var script: String
        var code: DriverErrorCode
        /// Words of the message or the cause.
        var words: String
        var testDescription: String { script }
    }

    static let deeds = [
        Deed(script: "echo hm >&2; exec sleep 600", code: .timedOut, words: "hm"),
        Deed(script: "trap '' TERM; while :; do sleep 0.05; done", code: .timedOut, words: "did not answer in time"),
        Deed(script: "kill -STOP $$", code: .timedOut, words: "did not answer in time"),
        Deed(script: "setsid -f sleep 600; sleep 600", code: .timedOut, words: "did not answer in time"),
        Deed(script: "head -c 20000000 /dev/zero", code: .failed, words: "more than 8 MiB"),
        Deed(script: "head -c 20000000 /dev/zero >&2", code: .failed, words: "more than 8 MiB"),
        Deed(script: #"printf 'bad \377\376\n' >&2; exit 2"#, code: .failed, words: "bad \u{FFFD}\u{FFFD}"),
        Deed(script: "exec >&- 2>&-; sleep 0.2; exit 9", code: .failed, words: "code(9)"),
        Deed(script: "echo half; kill -KILL $$", code: .failed, words: "killed by signal 9"),
        Deed(script: #"printf '{"smartctl":'"#, code: .failed, words: "no report"),
        Deed(script: #"printf '[]'"#, code: .failed, words: "no report"),
    ]

    @Test(arguments: deeds)
    func `a program that only looks is named for what it did`(deed: Deed) async throws {
        let folder = try ToolFolder(
            ["smartctl": deed.script], files: DriveTests.files,
            patience: deed.code == .timedOut ? .seconds(1) : .seconds(60))
        let error = await #expect(throws: DriverError.self) {
            try await folder.perform("drive.health", ["drive": "sda"])
        }
        let said = "\(error?.message ?? "") \(error?.cause ?? "")"
        #expect(error?.code == deed.code && said.contains(deed.words), "\(said)")
    }

    @Test func `a grandchild on the pipe does not hold the answer`() async throws {
        let folder = try ToolFolder(["apt-get": "sleep 20 & echo 'Inst a [1] (2 Debian [all])'; exit 0"])
        let start = ContinuousClock.now
        #expect(try await folder.perform("update.list")["updates"]?.asArray?.count == 1)
        #expect(.now - start < .seconds(15))
    }

    @Test func `a journal that floods waits for credit, with bounded memory, and ends when nobody reads`() async throws
    {
        let gate = AsyncStream<Void>.makeStream()
        let collector = Collector(gate: { () throws(CancellationError) in
            for await _ in gate.stream { return }
            throw CancellationError()
        })
        let folder = try ToolFolder([
            "journalctl": #"exec yes '{"__REALTIME_TIMESTAMP":"1700000000000000","MESSAGE":"flood"}'"#
        ])
        let task = Task { [driver = folder.driver] in
            try await driver.perform(OperationCall(operation: "journal.query", resource: "host"), collector.context)
        }
        for _ in 0..<3 { gate.continuation.yield() }
        while collector.count == 0 { try await Task.sleep(for: .milliseconds(10)) }
        try await Task.sleep(for: .milliseconds(300))
        #expect(collector.count < 8 << 20, "three pieces and no more")
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test func `a journal line without an end is dropped, not kept`() async throws {
        let folder = try ToolFolder([
            "journalctl":
                #"head -c 30000000 /dev/zero; printf '\n{"__REALTIME_TIMESTAMP":"1700000000000000","MESSAGE":"after"}\n'"#
        ])
        let collector = Collector()
        let observed = try await folder.perform("journal.query", into: collector)
        #expect(observed["entries"] == 1 && observed["dropped"] == 1)
        #expect(try collector.lines().first?["message"] == "after")
    }

    @Test func `a log file of one endless line and bytes that are no text is read to its end`() async throws {
        let long = String(repeating: "x", count: 200_000)
        let folder = try ToolFolder(files: [
            "/var/log/syslog": "\(long)\n2026-11-20T10:00:00Z host a: \u{0}\u{1B}[31m\n"
        ])
        let collector = Collector()
        let observed = try await folder.perform("log.query", into: collector)
        #expect(observed["entries"] == 1 && observed["dropped"] == 1)
    }
}
