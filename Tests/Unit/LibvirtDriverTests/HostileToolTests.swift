import DriverKit
import LibvirtDriver
import TestSupport
import Testing
import WireProtocol

/// A `virsh` that does anything but answer, and what the driver calls that.
@Suite struct HostileToolTests {
    static let deeds =
        HostileDeed.common + [
            HostileDeed("head -c 20000000 /dev/zero", .failed, "more than 8 MiB"),
            HostileDeed("echo domain not found >&2; kill -KILL $$", .failed, "killed by signal 9"),
        ]

    @Test(arguments: deeds)
    func `it is named for what it did`(deed: HostileDeed) async throws {
        let host = try LibvirtHost(virsh: deed.script, patience: deed.code == .timedOut ? .seconds(3) : .seconds(30))
        let error = await #expect(throws: DriverError.self) { try await host.perform("vm.list") }
        #expect(deed.isNamed(by: error), "\(String(describing: error))")
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
