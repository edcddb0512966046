import DriverKit
import HostDriver
import TestSupport
import Testing
import WireProtocol

/// Programs that do anything but answer, and what the driver calls that.
@Suite struct HostileToolTests {
    static let deeds =
        HostileDeed.common + [
            HostileDeed("head -c 20000000 /dev/zero", .failed, "more than 8 MiB"),
            HostileDeed("head -c 20000000 /dev/zero >&2", .failed, "more than 8 MiB"),
            HostileDeed("echo half; kill -KILL $$", .failed, "killed by signal 9"),
            HostileDeed(#"printf '{"smartctl":'"#, .failed, "no report"),
            HostileDeed(#"printf '[]'"#, .failed, "no report"),
        ]

    @Test(arguments: deeds)
    func `a program that only looks is named for what it did`(deed: HostileDeed) async throws {
        let folder = try ToolFolder(
            ["smartctl": deed.script], files: DriveTests.files,
            patience: deed.code == .timedOut ? .seconds(3) : .seconds(60))
        let error = await #expect(throws: DriverError.self) {
            try await folder.perform("drive.health", ["drive": "sda"])
        }
        #expect(deed.isNamed(by: error), "\(String(describing: error))")
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
            try await driver.perform(ActionCall(action: "journal.query", resource: "host"), collector.context)
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
