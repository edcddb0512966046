import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

@Suite struct NodeTests {
    @Test func `a machine without the tools or the cluster's files has no such driver`() async throws {
        let folder = try ScratchFolder("pve")
        #expect(await ProxmoxDriver.detect(root: folder.path) == nil)
        let node = try await EmulatedNode()
        #expect(node.driver.version == "9.2.11")
        #expect(unlink(node.folder.file("etc/pve/lxc")) == 0)
        #expect(await ProxmoxDriver.detect(root: node.folder.path) == nil)
    }

    @Test func `a cluster's file system that comes later brings the driver, and its loss is told`() async throws {
        let node = try await EmulatedNode()
        #expect(ProxmoxDriver.isInstalled(root: node.folder.path))
        #expect(await node.driver.absence() == nil)
        let (place, away) = (node.folder.file("etc/pve"), node.folder.file("etc/pve.away"))
        #expect(rename(place, away) == 0 && mkdir(place, 0o755) == 0)
        #expect(await node.driver.absence() == "the cluster's file system /etc/pve is not there")
        #expect(await ProxmoxDriver.detect(root: node.folder.path) == nil)
        #expect(ProxmoxDriver.isInstalled(root: node.folder.path), "what makes it worth looking again")
        #expect(rmdir(place) == 0 && rename(away, place) == 0)
        #expect(await node.driver.absence() == nil)
        #expect(await ProxmoxDriver.detect(root: node.folder.path) != nil)
    }

    @Test func `what is there is read without any tool`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["start": true])
        try await node.create(102, ["hostname": "web2"])
        #expect(rename(node.folder.file("usr/sbin/pct"), node.folder.file("usr/sbin/pct.away")) == 0)
        let items = try await node.driver.inventory()
        #expect(items.map(\.resource) == ["proxmox/ct/101", "proxmox/ct/102"])
        #expect(items[0].state["status"] == "running" && items[1].state["status"] == "stopped")
        #expect(items[0].state["memory_bytes"]?.asInteger ?? 0 > 0)
        #expect(items[0].state["processor_us"] == 120_000)
        #expect(items[1].state["memory_bytes"] == nil)
        #expect(try await node.perform("container.inspect").observed["hostname"] == "web1")
    }

    @Test func `storages and templates are listed with their room`() async throws {
        let node = try await EmulatedNode()
        let call = ActionCall(action: "storage.list", resource: "proxmox/node")
        let storages = try await node.driver.perform(call, EmulatedNode.context()).observed["storages"]?.asArray ?? []
        let local = try #require(storages.first { $0["storage"] == "local" })
        #expect(local["total_bytes"] == .integer(40 << 30) && local["active"] == true)
        let templates = try await node.driver.perform(
            ActionCall(action: "template.list", resource: "proxmox/node", arguments: ["storage": "local"]),
            EmulatedNode.context())
        #expect(templates.observed["templates"]?.asArray?.first?["template"] == .string(EmulatedNode.template))
    }

    @Test func `storages of the network are shared, and others where their section says so`() {
        let file = SectionFile(
            """
            dir: local
            \tpath /var/lib/vz
            \tcontent vztmpl

            lvmthin: thin
            \tvgname pve

            rbd: ceph
            \tpool vms

            dir: mounted
            \tpath /mnt/all
            \tshared 1

            lvm: alone
            \tshared 0
            """)
        #expect(SharedStorages.names(in: file) == ["ceph", "mounted"])
    }

    @Test func `a configuration is read with its sections apart`() {
        let config = GuestConfig(
            """
            #line one%3A %C3%A4
            #innkeeper owner=svc_1 command=cmd_1
            hostname: web1
            lock: backup
            net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip6=fd00::1/64
            rootfs: local:101/vm-101-disk-0.raw,size=2064M

            [pve:pending]
            features: nesting=1

            [one]
            #about one
            hostname: old
            snaptime: 1763697426
            """)
        #expect(config["hostname"] == "web1" && config.lock == "backup")
        #expect(config.description == "line one: ä\ninnkeeper owner=svc_1 command=cmd_1\n")
        #expect(config.mark?.service == "svc_1" && config.mark?.nonce == "cmd_1")
        #expect(config.wished("features") == "nesting=1" && config["features"] == nil)
        #expect(config.snapshots.map(\.name) == ["one"] && config.snapshots[0].description == "about one\n")
        #expect(config.numbered("net")[0].properties["ip6"] == "fd00::1/64")
        #expect(PropertyText(config["rootfs"] ?? "").first == "local:101/vm-101-disk-0.raw")
        #expect(SizeText.bytes("2064M") == 2064 << 20 && SizeText.bytes("0T") == 0 && SizeText.bytes("x") == nil)
    }

    @Test func `blanks at the ends of lines mean nothing, and people write what is on in many ways`() {
        let config = GuestConfig(
            """
            onboot: 1 \r
            protection: yes
            unprivileged: off
            rootfs: local:101/vm-101-disk-0.raw,size=2G  \t
            net0: name=eth0,bridge=vmbr0,firewall=on
            lxc.apparmor.profile: unconfined \t
            lxc.mount.entry = /srv srv none bind 0 0
            lxc.environment: TOKEN=secret
            dev0: /dev/dri/renderD128,gid=104,mode=0660
            unused0: local:101/vm-101-disk-1.raw
            description: by%20hand

            [PVE:pending]\u{20}
            memory: 512
            [snap1]\u{20}
            onboot: 0
            hostname: old
            [pve:later]
            hostname: none of ours
            """)
        #expect(config["onboot"] == "1" && config["protection"] == "1" && config["unprivileged"] == "0")
        #expect(config["hostname"] == nil && config.pending == ["memory": "512"])
        #expect(config.snapshots.map(\.name) == ["snap1"] && config.snapshots[0].values["hostname"] == "old")
        #expect(config.description == "by hand\n")
        let seen = Guest(vmid: 101, config: config, isRunning: false, spec: nil).json
        #expect(seen["on_boot"] == true && seen["protection"] == true && seen["unprivileged"] == false)
        let volumes = seen["volumes"]?.asArray ?? []
        #expect(volumes.first?["size_bytes"] == .integer(2 << 30))
        #expect(volumes.last == ["disk": "unused0", "volume": "local:101/vm-101-disk-1.raw", "unused": true])
        #expect(seen["devices"] == [["device": "dev0", "path": "/dev/dri/renderD128", "mode": "0660", "gid": "104"]])
        #expect(
            seen["raw"] == [
                ["key": "lxc.apparmor.profile", "value": "unconfined"],
                ["key": "lxc.mount.entry", "value": "/srv srv none bind 0 0"],
                ["key": "lxc.environment", "value": "TOKEN=…"],
            ])
        #expect(seen["networks"]?.asArray?.first?["firewall"] == "1")
    }

    @Test func `columns of the storages are counted from the right`() {
        let text = """
            Name             Type     Status           Total            Used       Available        %
            local             dir     active        41943040         1048576        40894464    2.50%
            nfs shared        nfs   inactive               0               0               0    0.00%
            broken line
            """
        let found = Storage.parse(text)
        #expect(found.first?.availableBytes == 40_894_464 << 10)
    }

    @Test func `a tool that does not obey is not killed, and the answer says that it goes on`() async throws {
        let node = try await EmulatedNode(["hang": ["create": -300]])
        var tools = node.driver.tools
        tools.grace = .milliseconds(500)
        let impatient = ProxmoxDriver(tools: tools, files: node.driver.files, version: "test")
        let pids = node.folder.file("pid")
        let wrapper = "#!/bin/sh\necho $$ > \(pids)\nexec \(node.folder.file("usr/sbin/pct.real")) \"$@\"\n"
        #expect(rename(node.folder.file("usr/sbin/pct"), node.folder.file("usr/sbin/pct.real")) == 0)
        try node.write(wrapper, to: "usr/sbin/pct")
        #expect(chmod(node.folder.file("usr/sbin/pct"), 0o755) == 0)
        var arguments = EmulatedNode.wish()
        arguments["vmid"] = 101
        let call = ActionCall(action: "container.create", resource: "proxmox/ct/101", arguments: arguments)
        let work = Task { try await impatient.perform(call, EmulatedNode.context()) }
        #expect(await eventually { node.text("pid")?.hasSuffix("\n") == true })
        let pid = try #require(node.text("pid").flatMap { pid_t($0.dropLast()) })
        // Python has to come as far as ignoring TERM.
        #expect(
            await eventually {
                (FileText.read("/proc/\(pid)/status") ?? "").split(separator: "\n")
                    .first { $0.hasPrefix("SigIgn:") }.flatMap { UInt64($0.split(separator: "\t")[1], radix: 16) }
                    .map { $0 & (1 << 14) != 0 } ?? false
            })
        work.cancel()
        let error = await #expect(throws: DriverError.self) { try await work.value }
        #expect(error?.code == .unknownOutcome)
        #expect(kill(pid, 0) == 0)
        kill(pid, SIGKILL)
    }

    @Test func `a flood of output is read to its end`() async throws {
        let node = try await EmulatedNode(["flood": ["start": 8_000_000]])
        try await node.create(101, ["start": true])
        #expect(try await node.perform("container.inspect").observed["status"] == "running")
    }
}
