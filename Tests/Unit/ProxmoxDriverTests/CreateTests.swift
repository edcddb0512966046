import DriverKit
import Glibc
import Testing
import TestSupport
import WireProtocol

@testable import ProxmoxDriver

@Suite struct CreateTests {
    @Test func `a container is made as asked, and found so the second time`() async throws {
        let node = try await EmulatedNode()
        let wish: JSONObject = [
            "networks": [["bridge": "vmbr0", "ip": "10.0.0.5/24", "gateway": "10.0.0.1", "vlan": 5, "firewall": true]],
            "features": ["nesting": true], "tags": ["web", "customer"], "start": true, "cpu_limit": 0.5,
            "mounts": [["storage": "local", "size_gib": 2, "path": "/data"]],
        ]
        let made = try await node.create(101, wish)
        #expect(made.changed)
        #expect(made.observed["status"] == "running")
        #expect(made.observed["owner"] == "svc_1")
        #expect(made.observed["unprivileged"] == true)
        let config = try #require(node.configuration())
        #expect(config.contains("features: nesting=1"))
        #expect(config.contains("cpulimit: 0.50"))
        #expect(config.contains("ip=10.0.0.5/24") && config.contains("tag=5") && config.contains("mp=/data"))
        #expect(config.contains("#innkeeper: svc_1 cmd_1 101\n"))
        let again = try await node.create(101, wish, command: "cmd_2")
        #expect(!again.changed)
    }

    @Test func `keys reach the container and leave no file behind`() async throws {
        let node = try await EmulatedNode()
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJv3\(UInt32.random(in: 0 ... .max)) someone@example.org"
        try await node.create(101, ["ssh_keys": [.string(key)], "start": true])
        let read = Received()
        try await node.perform(
            "container.exec", ["command": ["cat", "/root/.ssh/authorized_keys"]], context: read.context)
        #expect(read.text(.stdout) == key + "\n")
        for name in FileText.names(in: "/tmp") ?? [] where name.hasPrefix("innkeeper-") {
            #expect(FileText.read("/tmp/\(name)")?.contains(key) != true)
        }
    }

    @Test(
        arguments: [
            ["hostname": "web1,mp0=/etc"], ["hostname": "-h"], ["template": "local:vztmpl/../x"],
            ["template": "/etc/passwd"],
            ["rootfs": ["storage": "local:1,mp=/x", "size_gib": 1]], ["tags": ["a;b"]], ["memory_mib": 1],
            ["networks": [["bridge": "vmbr0,type=veth"]]],
            ["networks": [["bridge": "vmbr0", "ip": "10.0.0.5/24,gw=1.1.1.1"]]],
            ["networks": [["bridge": "vmbr0", "mac": "BC:24:11:00:00:0G"]]], ["hookscript": "local:snippets/x"],
            ["networks": [["bridge": "vmbr0", "name": "eth0"], ["bridge": "vmbr0", "name": "eth0"]]],
            ["mounts": [["storage": "local", "size_gib": 1, "path": "/a,b"]]], ["ssh_keys": ["ssh-rsa AAAA\ncommand"]],
            ["owner": "a b"], ["features": ["mount": "nfs"]],
        ] as [JSONObject]) func `what the tool would read as something else is refused`(_ more: JSONObject) async throws
    {
        let node = try await EmulatedNode(["fail": ["create": "it was started"]])
        let error = await #expect(throws: DriverError.self) { try await node.create(101, more) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `a call on another resource is refused`() async throws {
        let node = try await EmulatedNode()
        let error = await #expect(throws: DriverError.self) {
            try await node.perform("container.create", on: 101, EmulatedNode.wish(["vmid": 102]))
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `a storage without room, an unknown one and a missing template are told before anything is made`()
        async throws
    {
        let node = try await EmulatedNode(["fail": ["create": "it was started"]])
        let cases: [(JSONObject, DriverErrorCode)] = [
            (["rootfs": ["storage": "labzfs", "size_gib": 100]], .outOfSpace),
            (["mounts": [["storage": "local", "size_gib": 40, "path": "/x"]]], .outOfSpace),
            (["rootfs": ["storage": "nope", "size_gib": 1]], .notFound),
            (["template": "local:vztmpl/nope.tar.zst"], .notFound),
        ]
        for (more, code) in cases {
            let error = await #expect(throws: DriverError.self) { try await node.create(101, more) }
            #expect(error?.code == code && error?.changed == false)
        }
    }

    @Test func `an id that somebody else has is told as one that exists`() async throws {
        let node = try await EmulatedNode()
        try await node.pct("create", "101", EmulatedNode.template, "--rootfs", "local:1")
        try node.write("name: vm\n", to: "etc/pve/nodes/pvelab/qemu-server/102.conf")
        for vmid in [101, 102] {
            let error = await #expect(throws: DriverError.self) { try await node.create(vmid) }
            #expect(error?.code == .foreign && error?.changed == false && error?.observed["exists"] == true)
            let marked = await #expect(throws: DriverError.self) {
                try await node.create(vmid, ["mark": ["service": "svc_1"]])
            }
            #expect(marked?.code == .foreign && marked?.observed["exists"] == true)
        }
        let wrong = await #expect(throws: DriverError.self) {
            try await node.create(103, ["template": "local:vztmpl/none.tar.zst"])
        }
        #expect(wrong?.observed["exists"] == nil)
    }

    @Test func `our container with other settings is a conflict and not changed`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let error = await #expect(throws: DriverError.self) {
            try await node.create(101, ["memory_mib": 1024], command: "cmd_2")
        }
        #expect(error?.code == .conflict && error?.message.contains("memory") == true)
        #expect(node.configuration()?.contains("memory: 512") == true)
    }

    @Test func `a start that fails says that the container is there`() async throws {
        let node = try await EmulatedNode(["fail": ["start": "startup for container '101' failed"]])
        let error = await #expect(throws: DriverError.self) { try await node.create(101, ["start": true]) }
        #expect(error?.code == .failed && error?.changed == true)
    }

    @Test func `a cancelled creation is rolled back by the tool`() async throws {
        let node = try await EmulatedNode(["gates": ["create"]])
        let work = Task { try await node.create() }
        #expect(await eventually { node.configuration()?.contains("lock: create") == true })
        work.cancel()
        let error = await #expect(throws: DriverError.self) { try await work.value }
        #expect(error?.code == .cancelled)
        #expect(node.configuration() == nil)
    }

    @Test func `what a killed creation of ours has left is removed, and made anew`() async throws {
        let node = try await EmulatedNode()
        try node.write("lock: create\n", to: "etc/pve/nodes/pvelab/lxc/101.conf")
        try node.write("/dev/loop101 \("/var/lib/lxc/101/rootfs") ext4 rw 0 0\n", to: "proc/mounts")
        // Nobody knows yet that it is ours.
        let error = await #expect(throws: DriverError.self) { try await node.create() }
        #expect(error?.code == .busy && error?.retryable == false)
        await node.driver.recover([
            AbandonedCommand(id: "cmd_0", action: "container.create", resource: "proxmox/ct/101")
        ])
        #expect(try await node.create().changed)
        #expect(node.text("proc/mounts")?.contains("/101/") == false)
    }

    @Test func `what a killed creation has left is not touched while its worker lives`() async throws {
        let node = try await EmulatedNode()
        try node.write("lock: create\n", to: "etc/pve/nodes/pvelab/lxc/101.conf")
        try node.isAtWork("vzcreate", on: "101")
        await node.driver.recover([
            AbandonedCommand(id: "cmd_0", action: "container.create", resource: "proxmox/ct/101")
        ])
        let error = await #expect(throws: DriverError.self) { try await node.perform("container.destroy") }
        #expect(error?.code == .busy && error?.retryable == true)
        #expect(node.configuration() == "lock: create\n")
    }
}
