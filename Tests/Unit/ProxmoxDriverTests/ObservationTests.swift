import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

@Suite struct ObservationTests {
    private func node() async throws -> EmulatedNode {
        let node = try await EmulatedNode()
        try await node.create(101, ["start": true, "networks": [["bridge": "vmbr0"], ["bridge": "vmbr0"]]])
        try await node.create(102)
        try node.write("memory 4096\nactive_file 10\ninactive_file 96\n", to: "sys/fs/cgroup/lxc/101/memory.stat")
        try node.write("4096\n", to: "sys/fs/cgroup/lxc/101/memory.current")
        try node.write("8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=5 wbytes=1\n", to: "sys/fs/cgroup/lxc/101/io.stat")
        return node
    }

    @Test func `what runs is measured, and what does not is not`() async throws {
        let node = try await node()
        var batch = SampleBatch()
        await node.driver.sample(into: &batch)
        batch.finish()
        let values = Dictionary(uniqueKeysWithValues: zip(batch.names, batch.values))
        #expect(
            values == [
                "proxmox/ct/101.cpu.seconds": 0.12, "proxmox/ct/101.memory.used": 4000, "proxmox/ct/101.processes": 1,
                "proxmox/ct/101.io.read": 15, "proxmox/ct/101.io.written": 21,
                "proxmox/ct/101.network.received": 4001, "proxmox/ct/101.network.sent": 2001,
            ])
    }

    @Test func `what cannot be read is absent and never zero`() async throws {
        let node = try await node()
        for name in [
            "sys/fs/cgroup/lxc/101/io.stat", "sys/fs/cgroup/lxc/101/cpu.stat",
            "sys/class/net/veth101i1/statistics/rx_bytes",
        ] {
            #expect(unlink(node.folder.file(name)) == 0)
        }
        let figures = try #require(node.driver.files.running().first)
        #expect(figures.read == nil && figures.processorMicroseconds == nil && figures.received == nil)
        #expect(figures.memory == 4000)
        #expect(await node.driver.usage().isEmpty)
    }

    @Test func `usage counts in another epoch after another start`() async throws {
        let node = try await node()
        let before = await node.driver.usage()
        #expect(before.map(\.meter) == ["cpu_ms", "network_rx_bytes", "network_tx_bytes"])
        #expect(before.map(\.value) == [120, 4001, 2001] && Set(before.map(\.subject)) == ["proxmox/ct/101"])
        try await node.perform("container.stop")
        #expect(await node.driver.usage().isEmpty)
        // The folder of the next run must not get the number of the last.
        #expect(mkdir(node.folder.file("sys/fs/cgroup/lxc/spare"), 0o700) == 0)
        try await node.perform("container.start")
        let after = await node.driver.usage()
        #expect(after.first?.epoch != before.first?.epoch)
    }

    @Test func `facts tell the node, its cluster and its storages`() async throws {
        let node = try await EmulatedNode()
        try node.write(
            "{\"nodename\":\"pvelab\",\"version\":3,\"cluster\":{\"name\":\"lab\",\"quorate\":1},"
                + "\"nodelist\":{\"pvelab\":{\"id\":1,\"online\":1},\"pveb\":{\"id\":2,\"online\":0}}}",
            to: "etc/pve/.members")
        let facts = await node.driver.facts()
        #expect(facts["node"] == "pvelab" && facts["quorate"] == true && facts["cluster"] == "lab")
        #expect(facts["nodes"] == ["pveb", "pvelab"])
        #expect(facts["storages"]?.asArray?.contains { $0["storage"] == "labzfs" } == true)
    }

    @Test func `facts tell what may lie on each storage, the templates, and what cards can be put on`() async throws {
        let node = try await EmulatedNode()
        try node.write(
            """
            dir: local
            \tpath /var/lib/vz
            \tcontent vztmpl,rootdir,backup

            zfspool: labzfs
            \tpool lab

            nfs: off
            \tcontent vztmpl
            \tdisable 1

            """, to: "etc/pve/storage.cfg")
        for name in ["debian-12.tar.zst", "notes.txt"] { try node.write("", to: "var/lib/vz/template/cache/\(name)") }
        for name in ["vmbr0", "lo", "veth101i0", "fwbr101i0", "eno1"] {
            try node.write("", to: "sys/class/net/\(name)/mtu")
        }
        let facts = await node.driver.facts()
        let storages = facts["storages"]?.asArray ?? []
        #expect(storages.first { $0["storage"] == "local" }?["contents"] == ["backup", "rootdir", "vztmpl"])
        #expect(storages.first { $0["storage"] == "labzfs" }?["contents"] == ["images", "rootdir"])
        #expect(storages.allSatisfy { $0["shared"] == false })
        #expect(facts["templates"]?.asArray?.contains("local:vztmpl/debian-12.tar.zst") == true)
        #expect(facts["templates"]?.asArray?.contains { $0.asString?.contains("notes") == true } == false)
        let interfaces = facts["interfaces"]?.asArray ?? []
        #expect(interfaces.contains("vmbr0") && interfaces.contains("eno1"))
        #expect(!interfaces.contains("veth101i0") && !interfaces.contains("fwbr101i0") && !interfaces.contains("lo"))
        // Where a storage may hold some that nobody can see, nothing is said to be missing.
        try node.write("rbd: ceph\n\tcontent vztmpl\n", to: "etc/pve/storage.cfg")
        #expect(await node.driver.facts()["templates"] == nil)
    }

    @Test func `quorum is what can be written, whatever a file says while corosync is down`() async throws {
        let node = try await EmulatedNode()
        try node.write("totem {\n  cluster_name: lab \n}\n", to: "etc/pve/corosync.conf")
        try node.write(#"{"nodename":"pvelab","version":3}"#, to: "etc/pve/.members")
        #expect(await node.driver.facts()["quorate"] == true)
        try node.set(["quorum": false])
        let facts = await node.driver.facts()
        #expect(facts["quorate"] == false && facts["cluster"] == "lab", "numbers are given out in the cluster's name")
        #expect(try await node.ask("cluster.status")["quorate"] == false)
        try node.write(
            #"{"nodename":"pvelab","cluster":{"name":"lab","quorate":1},"nodelist":{}}"#, to: "etc/pve/.members")
        #expect(await node.driver.facts()["quorate"] == false)
    }

    @Test func `a cluster's file system that hangs holds up neither metrics nor the rest for long`() async throws {
        let node = try await node()
        let files = try await NodeFiles.find(root: node.folder.path, patience: .milliseconds(300))
        let driver = ProxmoxDriver(tools: node.driver.tools, files: files, version: "test")
        let pipe = node.folder.file("etc/pve/nodes/pvelab/lxc/103.conf")
        #expect(mkfifo(pipe, 0o600) == 0)
        let error = await #expect(throws: DriverError.self) { try await driver.inventory() }
        #expect(error?.code == .unavailable && error?.retryable == true)
        var batch = SampleBatch()
        await driver.sample(into: &batch)
        #expect(batch.values.count == 7)
        let again = await #expect(throws: DriverError.self) {
            try await driver.perform(
                ActionCall(action: "container.list", resource: "proxmox/node"), EmulatedNode.context())
        }
        #expect(again?.code == .unavailable)
        #expect(unlink(pipe) == 0 || errno == 0)
        // Whoever waits in the kernel for it goes on when it hangs no longer.
        _ = open(pipe, O_WRONLY | O_NONBLOCK)
    }

    @Test func `the page of the driver names every operation`() async throws {
        let node = try await EmulatedNode()
        #expect(try undocumented(node.driver.actions, page: "proxmox") == [])
        #expect(try tellsArguments(node.driver.actions, page: "proxmox"))
        #expect(Set(node.driver.actions.map(\.name)).count == node.driver.actions.count)
        let needs = await node.driver.needs()
        #expect(needs.filter { $0.problem != nil } == [])
        let page = needs.map { need in
            let what =
                need.what.hasPrefix(node.folder.path) ? need.what.dropFirst(node.folder.path.count) : need.what[...]
            return Need(String(what), for: need.purpose, problem: nil, advice: need.advice)
        }
        #expect(try undocumented(page, page: "proxmox") == [])
        try node.set(["quorum": false])
        let vital = await node.driver.needs().filter { $0.problem != nil && $0.isVital }
        #expect(vital.map(\.what) == ["/etc/pve"])
    }
}
