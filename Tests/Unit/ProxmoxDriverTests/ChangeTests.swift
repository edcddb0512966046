import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

@Suite struct SettingTests {
    @Test func `settings are changed once, and the address of a card stays`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["networks": [["bridge": "vmbr0", "ip": "dhcp"]]])
        let before = try await node.perform("container.inspect").observed
        let wish: JSONObject = [
            "memory_mib": 1024, "tags": ["b", "a"], "on_boot": true,
            "networks": [["bridge": "vmbr0", "ip": "10.0.0.9/24"]],
        ]
        let end = try await node.perform("container.set", wish)
        #expect(end.changed && end.observed["memory_mib"] == 1024)
        let mac = before["networks"]?.asArray?.first?["mac"]
        #expect(mac != nil && end.observed["networks"]?.asArray?.first?["mac"] == mac)
        #expect(end.observed["networks"]?.asArray?.first?["ip"] == "10.0.0.9/24")
        #expect(try await !node.perform("container.set", wish).changed)
    }

    @Test func `disks and cards come and go, and a disk that has gone is freed by its new name`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["networks": [["bridge": "vmbr0"], ["bridge": "vmbr0"]]])
        let wish: JSONObject = ["mounts": [["storage": "local", "size_gib": 1, "path": "/data"]], "remove": ["net1"]]
        let end = try await node.perform("container.set", wish)
        #expect(end.observed["volumes"]?.asArray?.count == 2 && end.observed["networks"]?.asArray?.count == 1)
        #expect(try await !node.perform("container.set", wish).changed)
        for other: JSONObject in [
            ["storage": "labzfs", "size_gib": 1, "path": "/data"],
            ["storage": "local", "size_gib": 2, "path": "/data"],
        ] {
            let error = await #expect(throws: DriverError.self) {
                try await node.perform("container.set", ["mounts": [.object(other)]])
            }
            #expect(error?.code == .conflict && error?.message.contains("/data is there as mp0") == true)
        }
        try await node.perform("container.set", ["remove": ["mp0"]])
        #expect(node.configuration()?.contains("unused0: local:101/") == true)
        try await node.perform("container.set", ["remove": ["unused0"]])
        #expect(FileText.names(in: node.folder.file("var/lib/vz/images/101"))?.count == 1)
        let full = await #expect(throws: DriverError.self) {
            try await node.perform(
                "container.set", ["mounts": [["storage": "labzfs", "size_gib": 100, "path": "/big"]]])
        }
        #expect(full?.code == .outOfSpace)
    }

    @Test func `what the tool would take in spite of itself is refused`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["networks": [["bridge": "vmbr0"], ["bridge": "vmbr0", "name": "eth1"]]])
        let cases: [(JSONObject, DriverErrorCode)] = [
            (["networks": [["bridge": "vmbr0", "name": "eth1"]]], .conflict),
            (["remove": ["rootfs"]], .invalidArgument),
            (["remove": ["memory"]], .invalidArgument), (["remove": ["mp0,rootfs"]], .invalidArgument),
            (["remove": ["net0"], "networks": [["bridge": "vmbr0"]]], .invalidArgument),
        ]
        for (arguments, code) in cases {
            let error = await #expect(throws: DriverError.self) { try await node.perform("container.set", arguments) }
            #expect(error?.code == code)
        }
    }

    @Test func `a bridge that is not there is refused and nothing changes`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let before = node.configuration()
        let error = await #expect(throws: DriverError.self) {
            try await node.perform("container.set", ["memory_mib": 2048, "networks": [["bridge": "vmbr9"]]])
        }
        #expect(error?.code == .notFound)
        #expect(node.configuration() == before)
    }

    @Test func `a disk grows, stays, and never shrinks`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let wish: JSONObject = ["disk": "rootfs", "size_mib": 2064]
        #expect(try await node.perform("container.resize", wish).changed)
        #expect(try await !node.perform("container.resize", wish).changed)
        let error = await #expect(throws: DriverError.self) {
            try await node.perform("container.resize", ["disk": "rootfs", "size_mib": 1024])
        }
        #expect(error?.code == .conflict)
        let missing = await #expect(throws: DriverError.self) {
            try await node.perform("container.resize", ["disk": "mp3", "size_mib": 1024])
        }
        #expect(missing?.code == .notFound)
    }

    @Test func `a resize that exits with 0 and did nothing is a failure`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let lock = open(node.folder.file("run/lock/lxc/pve-config-101.lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        defer { close(lock) }
        #expect(flock(lock, LOCK_EX) == 0)
        let error = await #expect(throws: DriverError.self) {
            try await node.perform("container.resize", ["disk": "rootfs", "size_mib": 2048])
        }
        #expect(error?.code == .busy && error?.retryable == true)
    }

    @Test func `a volume that grew without its file system is told as such, each time`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["start": true])
        let wish: JSONObject = ["disk": "rootfs", "size_mib": 2048]
        let error = await #expect(throws: DriverError.self) { try await node.perform("container.resize", wish) }
        #expect(error?.code == .failed && error?.changed == true)
        // To the tool the size is reached now.
        let again = await #expect(throws: DriverError.self) { try await node.perform("container.resize", wish) }
        #expect(again?.code == .failed && again?.changed == false)
        #expect(again?.message.contains("has 2048 MiB, but its file system only 1024 MiB") == true)
        try await node.perform("container.stop")
        let larger: JSONObject = ["disk": "rootfs", "size_mib": 2064]
        #expect(try await node.perform("container.resize", larger).changed)
        #expect(try await !node.perform("container.resize", larger).changed)
    }

    @Test func `the size of a file system is read where it says that it is one`() {
        var block = [UInt8](repeating: 0, count: 1024)
        #expect(ExtFileSystem.bytes(superblock: block) == nil)
        (block[4], block[24], block[56], block[57]) = (3, 2, 0x53, 0xEF)
        block[336] = 1
        #expect(ExtFileSystem.bytes(superblock: block) == Int64(12_288))
        block[96] = 0x80
        #expect(ExtFileSystem.bytes(superblock: block) == Int64((1 << 44) + 12_288))
        (block[336], block[339]) = (0xFF, 0xFF)
        #expect(ExtFileSystem.bytes(superblock: block) == nil && ExtFileSystem.bytes(superblock: [1]) == nil)
    }

    @Test func `a mounted image is read through its loop device`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let image = "/var/lib/vz/images/101/vm-101-disk-0.raw"
        let files = node.driver.files
        #expect(files.fileSystemBytes(at: image) == 1 << 30)
        try node.write("\(image)\n", to: "sys/block/loop3/loop/backing_file")
        #expect(files.fileSystemBytes(at: image) == nil)
        mkdir(node.folder.file("dev"), 0o755)
        #expect(
            symlink(node.folder.file("var/lib/vz/images/101/vm-101-disk-0.raw"), node.folder.file("dev/loop3")) == 0)
        #expect(files.fileSystemBytes(at: image) == 1 << 30)
    }
}

@Suite struct DestroyTests {
    @Test func `what is removed is gone with its disks, and gone already is success`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["start": true])
        let runs = await #expect(throws: DriverError.self) { try await node.perform("container.destroy") }
        #expect(runs?.code == .conflict)
        #expect(try await node.perform("container.destroy", ["force": true, "owner": "svc_1"]).changed)
        #expect(node.configuration() == nil)
        #expect(FileText.names(in: node.folder.file("var/lib/vz/images/101")) ?? [] == [])
        #expect(try await !node.perform("container.destroy").changed)
    }

    @Test func `what is somebody else's, protected or elsewhere is not removed`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["protection": true])
        let owner = await #expect(throws: DriverError.self) {
            try await node.perform("container.destroy", ["owner": "svc_2"])
        }
        #expect(owner?.code == .foreign)
        let protected = await #expect(throws: DriverError.self) { try await node.perform("container.destroy") }
        #expect(protected?.code == .conflict)
        try node.write("", to: "etc/pve/nodes/pvelab/qemu-server/102.conf")
        let elsewhere = await #expect(throws: DriverError.self) { try await node.perform("container.destroy", on: 102) }
        #expect(elsewhere?.code == .conflict)
        #expect(node.configuration() != nil)
    }

    @Test func `one that the HA manager looks after leaves it first`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["start": true])
        try node.write("ct:101\n\tstate started\n", to: "etc/pve/ha/resources.cfg")
        #expect(try await node.perform("container.destroy", ["force": true]).changed)
        #expect(node.text("etc/pve/ha/resources.cfg")?.contains("101") == false)
        #expect(node.configuration() == nil)
    }

    @Test func `a removal that lost the quorum in the middle is finished later`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        try node.set(["quorum": false])
        let error = await #expect(throws: DriverError.self) { try await node.perform("container.destroy") }
        #expect(error?.code == .unavailable && error?.retryable == true && error?.changed == true)
        #expect(FileText.names(in: node.folder.file("var/lib/vz/images/101")) ?? [] == [])
        try node.set([:])
        #expect(try await node.perform("container.destroy").changed)
        #expect(node.configuration() == nil)
    }

    @Test func `the lock of a removal that died does not stand in the way of the next`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let config = try #require(node.configuration())
        try node.write(config + "lock: destroyed\n", to: "etc/pve/nodes/pvelab/lxc/101.conf")
        #expect(try await node.perform("container.destroy").changed)
        #expect(node.configuration() == nil)
    }
}
