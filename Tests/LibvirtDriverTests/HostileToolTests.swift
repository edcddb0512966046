import DriverKit
import LibvirtDriver
import TestSupport
import Testing
import WireProtocol

/// A `virsh` that does anything but answer, and what the driver calls that.
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
        Deed(script: #"printf 'bad \377\376\n' >&2; exit 2"#, code: .failed, words: "bad \u{FFFD}\u{FFFD}"),
        Deed(script: "exec >&- 2>&-; sleep 0.2; exit 9", code: .failed, words: "code(9)"),
        Deed(script: "echo domain not found >&2; kill -KILL $$", code: .failed, words: "killed by signal 9"),
    ]

    @Test(arguments: deeds)
    func `it is named for what it did`(deed: Deed) async throws {
        let host = try LibvirtHost(virsh: deed.script, patience: .seconds(1))
        let error = await #expect(throws: DriverError.self) { try await host.perform("vm.list") }
        #expect(error?.code == deed.code, "\(String(describing: error))")
        let said = "\(error?.message ?? "") \(error?.cause ?? "")"
        #expect(said.contains(deed.words), "\(said)")
    }

    @Test func `a grandchild on its pipe does not hold the answer back`() async throws {
        let host = try LibvirtHost(virsh: "sleep 600 & \(LibvirtHost.order)")
        #expect(try await host.perform("vm.list").observed["vms"]?.asArray?.count == 2)
    }

    @Test(arguments: [
        "printf '\\377\\376 \\377\\n\\n'", "exit 0", "echo \(LibvirtHost.web)", "printf 'a\\n=\\nDomain:\\n'",
    ])
    func `an answer that makes no sense is no machine`(script: String) async throws {
        let host = try LibvirtHost(virsh: script)
        #expect(try await host.perform("vm.list").observed["vms"] == [])
    }

    @Test func `it is stopped when the call is cancelled`() async throws {
        let host = try LibvirtHost(virsh: "echo begun >>\"$RECORD\"; exec sleep 600")
        let task = Task { try await host.perform("vm.list") }
        #expect(await eventually { host.record().contains("begun") })
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test func `a journal that hangs is given up`() async throws {
        let host = try LibvirtHost(journal: "exec sleep 600", patience: .seconds(1))
        let error = await #expect(throws: DriverError.self) { try await host.perform("daemon.logs") }
        #expect(error?.code == .timedOut && error?.retryable == true)
    }
}
