import DriverKit
import LibvirtDriver
import TestSupport
import Testing
import WireProtocol

@Suite struct MachineTests {
    @Test func `machines are listed with state and reason, whichever way virsh pads their names`() async throws {
        let host = try LibvirtHost()
        let vms = try await host.perform("vm.list").observed["vms"]
        #expect(
            vms == [
                ["vm": "3", "uuid": .string(LibvirtHost.three), "state": "shut off", "reason": "crashed"],
                ["vm": "web", "uuid": .string(LibvirtHost.web), "state": "running", "reason": "booted"],
            ])
        #expect(try await host.driver.inventory().map(\.resource).contains("libvirt/\(LibvirtHost.web)"))
    }

    /// `virsh dominfo 3` would tell of the machine with the id 3.
    @Test func `a name that is a number is never given to virsh`() async throws {
        let host = try LibvirtHost()
        let seen = try await host.perform("vm.state", ["vm": "3"]).observed
        #expect(seen["uuid"] == .string(LibvirtHost.three) && seen["state"] == "shut off")
        #expect(seen["memory_bytes"] == 2_147_483_648 && seen["cpus"] == 2 && seen["autostart"] == false)
        #expect(host.record().contains("dominfo --domain \(LibvirtHost.three)"))
        #expect(!host.record().split(separator: "\n").contains { $0.hasSuffix(" 3") })
    }

    @Test func `a machine is found by its identity as well, and one that is not there is not found`() async throws {
        let host = try LibvirtHost()
        let seen = try await host.perform("vm.state", ["vm": .string(LibvirtHost.web.uppercased())])
        #expect(seen.observed["vm"] == "web" && !seen.changed)
        let error = await #expect(throws: DriverError.self) { try await host.perform("vm.state", ["vm": "none"]) }
        #expect(error?.code == .notFound)
    }

    @Test func `the last run of a machine is told by its log`() async throws {
        let host = try LibvirtHost()
        try host.log(
            "qemu/web.log",
            """
            2023-05-05 11:22:03.043+0000: starting up libvirt version: 8.6.0, package: 3.fc37 (a, b), hostname: h
            LC_ALL=C \\
            2023-05-05 12:00:00.000+0000: shutting down, reason=destroyed
            2023-05-06 11:22:03.043+0000: starting up libvirt version: 8.6.0
            2023-05-06T23:37:57.946548Z qemu-system-x86_64: terminating on signal 15 from pid 2093
            2023-05-06 23:37:58.100+0000: shutting down, reason=crashed

            """)
        let run = try await host.perform("vm.state", ["vm": "web"]).observed["last_run"]
        #expect(
            run == [
                "started": "2023-05-06T11:22:03.043Z", "ended": "2023-05-06T23:37:58.100Z", "reason": "crashed",
            ])
    }

    @Test(arguments: [
        (
            "error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/run/x': No such file",
            DriverErrorCode.unavailable, true
        ),
        ("error: authentication unavailable: no polkit agent", .permissionDenied, false),
        ("error: Cannot recv data: Connection reset by peer", .unavailable, true),
        ("error: whatever", .failed, false),
    ])
    func `what virsh complains of has its error`(message: String, code: DriverErrorCode, retryable: Bool) async throws {
        let host = try LibvirtHost(virsh: "printf '%s\\n' \"\(message.replacingQuotes)\" >&2; exit 1")
        let error = await #expect(throws: DriverError.self) { try await host.perform("vm.list") }
        #expect(error?.code == code && error?.retryable == retryable, "\(String(describing: error))")
    }

    @Test func `a host without virsh has no driver, one without its daemon has`() async throws {
        let folder = try ScratchFolder("bare")
        #expect(LibvirtTools.installed(root: folder.path) == nil)
        #expect(await LibvirtDriver.detect(LibvirtTools(virsh: ["/no/virsh"], journalctl: [])) == nil)
        let script =
            #"[ "$1" = --version ] && { echo 9.0.0; exit 0; }; echo 'error: failed to connect to the hypervisor' >&2; exit 1"#
        let tools = LibvirtTools(virsh: ["/bin/sh", "-c", script, "virsh"], journalctl: ["/no/journalctl"])
        let driver = try #require(await LibvirtDriver.detect(tools))
        #expect(driver.version == "9.0.0")
        #expect(await driver.facts() == ["answers": false])
        #expect(await driver.needs().first?.problem == "libvirt does not answer")
    }

    @Test func `the page of the driver names every operation, and what it needs`() async throws {
        let tools = LibvirtTools(virsh: ["/usr/bin/virsh"], journalctl: ["/usr/bin/journalctl"])
        let driver = LibvirtDriver(tools: tools, version: "")
        #expect(try undocumented(await driver.needs(), page: "libvirt") == [])
        #expect(try undocumented(driver.actions, page: "libvirt") == [])
        #expect(try tellsArguments(driver.actions, page: "libvirt"))
        #expect(driver.actions.allSatisfy { $0.kind == .observe }, "nothing of it changes anything")
    }
}

extension String {
    fileprivate var replacingQuotes: String { split(separator: "\"").joined() }
}
