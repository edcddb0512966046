import DriverKit
import Glibc
import LibvirtDriver
import Synchronization
import TestSupport
import Testing
import WireProtocol

@Suite struct LogTests {
    @Test func `the end of a machine's log goes back into what was rotated away`() async throws {
        let host = try LibvirtHost()
        try host.log("qemu/web.log", "five\nsix\n")
        try host.log("qemu/web.log.0", "three\nfour\n")
        try host.log("qemu/web.log.1", "one\ntwo\n")
        try host.log("qemu/web2.log", "another's\n")
        let outcome = try await host.perform("vm.logs", ["vm": "web", "lines": 4])
        #expect(host.sent.withLock { $0 } == "three\nfour\nfive\nsix\n")
        #expect(outcome.observed == ["source": "file", "lines": 4, "bytes": 20])
    }

    @Test func `in the middle of a rotation the rotated file is read`() async throws {
        let host = try LibvirtHost()
        try host.log("qemu/web.log.0", "kept\n")
        try await host.perform("vm.logs", ["vm": "web"])
        #expect(host.sent.withLock { $0 } == "kept\n")
    }

    @Test func `a moment in time picks the records from then on, with the lines that belong to them`() async throws {
        let host = try LibvirtHost()
        try host.log(
            "qemu/web.log",
            "2023-05-05 11:22:03.043+0000: old\nof the old\n2023-05-05T12:00:00.000001Z qemu: new\nof the new\n")
        try await host.perform("vm.logs", ["vm": "web", "since": 1_683_288_000_000])
        #expect(host.sent.withLock { $0 } == "2023-05-05T12:00:00.000001Z qemu: new\nof the new\n")
    }

    @Test func `what a loss of power left in front of a line is nothing`() async throws {
        let host = try LibvirtHost()
        try host.log("qemu/web.log", "old\n\0\0\02023-05-05 12:00:00.001+0000: shutting down, reason=crashed\n")
        try await host.perform("vm.logs", ["vm": "web", "since": 1_683_288_000_000])
        #expect(host.sent.withLock { $0 } == "2023-05-05 12:00:00.001+0000: shutting down, reason=crashed\n")
    }

    @Test(arguments: [
        "../../etc/shadow", "..", ".hidden", "a/b", "/etc/passwd", "-c", "a\nb", "a\u{0}b", "",
        String(repeating: "x", count: 201),
    ])
    func `a name that leads elsewhere is refused`(name: String) async throws {
        let host = try LibvirtHost()
        for operation in ["vm.logs", "vm.state"] {
            let error = await #expect(throws: DriverError.self) {
                try await host.perform(operation, ["vm": .string(name)])
            }
            #expect(error?.code == .invalidArgument)
        }
        #expect(host.record() == "", "nothing was started")
    }

    @Test func `a link in the place of a log is not followed, nor is what is no file read`() async throws {
        let host = try LibvirtHost()
        try host.folder.write(Array("secret\n".utf8), to: "elsewhere")
        #expect(symlink(host.folder.file("elsewhere"), host.folder.file("log/qemu/web.log")) == 0)
        #expect(mkfifo(host.folder.file("log/qemu/pipe.log"), 0o600) == 0)
        for name in ["web", "pipe"] {
            let error = await #expect(throws: DriverError.self) {
                try await host.perform("vm.logs", ["vm": .string(name)])
            }
            #expect(error?.code == .permissionDenied && error?.retryable == false)
        }
        #expect(host.sent.withLock { $0 } == "")
    }

    @Test func `a machine without a file is looked for in the journal, by its whole name`() async throws {
        let host = try LibvirtHost(
            journal: "printf 'libvirtd: domain web started\\nlibvirtd: domain web2 started\\nlibvirtd: web-swtpm\\n'")
        let outcome = try await host.perform("vm.logs", ["vm": "web"])
        #expect(host.sent.withLock { $0 } == "libvirtd: domain web started\n")
        #expect(outcome.observed["source"] == "journal")
        let none = try await host.perform("vm.logs", ["vm": "nobody"])
        #expect(none.observed["source"] == "none" && none.observed["lines"] == 0)
    }

    @Test func `the daemon's log is its file where there is one, else the journal`() async throws {
        let host = try LibvirtHost(journal: "printf 'from the journal\\n'")
        let first = try await host.perform("daemon.logs", ["lines": 50, "since": 1_683_288_000_000])
        #expect(first.observed["source"] == "journal")
        #expect(host.record().contains("--lines=50") && host.record().contains("--since=@1683288000"))
        try host.log("libvirtd.log", "from the file\n")
        let second = try await host.perform("daemon.logs")
        #expect(second.observed["source"] == "file")
        #expect(host.sent.withLock { $0 } == "from the journal\nfrom the file\n")
    }

    @Test func `a log of any size and any bytes is sent in bounds`() async throws {
        let host = try LibvirtHost()
        let noise = [UInt8](repeating: 0xFF, count: 20 << 20) + Array("\nend\n".utf8)
        try host.folder.write(noise, to: "log/qemu/web.log")
        let outcome = try await host.perform("vm.logs", ["vm": "web", "lines": 10_000])
        #expect(host.sent.withLock { $0 } == "end\n", "the line whose beginning was not read is dropped")
        #expect(outcome.observed["lines"] == 1)
        try host.folder.write([UInt8](repeating: 0xFF, count: 100_000), to: "log/qemu/web.log")
        let long = try await host.perform("vm.logs", ["vm": "web"])
        #expect((long.observed["bytes"]?.asInteger ?? 0) < 3 * 4096 + 100)
    }
}
