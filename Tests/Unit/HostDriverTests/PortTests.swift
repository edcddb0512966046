import DriverKit
import Glibc
import HostDriver
import Logging
import Testing
import WireProtocol

@Suite struct PortTests {
    static let head =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

    @Test func `waiting sockets are told with their processes, others are not`() async throws {
        let folder = try ToolFolder(files: [
            "/proc/net/tcp": Self.head
                + "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0\n"
                + "   1: 0100007F:1F90 0100007F:8888 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 100 0 0 10 0\n",
            "/proc/net/tcp6": Self.head
                + "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1\n"
                + "   1: 0000000000000000FFFF00000100007F:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4714 1\n"
                + "   2: B80D0120000000000000000001000000:0052 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4715 1\n",
            "/proc/net/udp": Self.head
                + "  10: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4716 2 0 0\n",
            "/proc/77/comm": "nginx\n", "/proc/77/cgroup": "0::/system.slice/nginx.service\n", "/proc/77/fd/0": "",
        ])
        #expect(symlink("socket:[4711]", "\(folder.root.path)/proc/77/fd/5") == 0)
        #expect(symlink("socket:[4713]", "\(folder.root.path)/proc/77/fd/6") == 0)
        #expect(symlink("/usr/sbin/nginx", "\(folder.root.path)/proc/77/exe") == 0)
        let observed = try await folder.perform("port.list")
        let ports = try #require(observed["ports"]?.asArray)
        #expect(
            ports.map {
                "\($0["transport"]?.asString ?? "") \($0["address"]?.asString ?? ""):\($0["port"]?.asInteger ?? 0)"
            } == [
                "udp 0.0.0.0:53", "tcp6 :::80", "tcp6 127.0.0.1:81", "tcp6 2001:db8::1:82", "tcp 127.0.0.1:8080",
            ])
        #expect(
            ports.last?["processes"] == [
                ["pid": 77, "name": "nginx", "program": "/usr/sbin/nginx", "group": "nginx.service"]
            ])
        #expect(ports.last?["user"] == 1000 && ports.first?["processes"] == [])
        let some = try await folder.perform("port.list", ["transport": "udp"])["ports"]?.asArray
        #expect(some?.count == 1)
    }

    @Test func `a socket of this process is found on this machine`() async throws {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                try #require(bind(socket, address, length) == 0 && listen(socket, 1) == 0)
                try #require(getsockname(socket, address, &length) == 0)
            }
        }
        let call = ActionCall(
            action: "port.list", resource: "host",
            arguments: ["port": .integer(Int64(UInt16(bigEndian: address.sin_port)))])
        let ports = try await HostDriver().perform(call, Collector().context).observed["ports"]?.asArray
        #expect(ports?.first?["address"] == "127.0.0.1")
        #expect(ports?.first?["processes"]?.asArray?.contains { $0["pid"] == .integer(Int64(getpid())) } == true)
    }

    @Test func `files with anything in them never trap`() async throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            let bytes = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                Array("0123456789ABCDEF: \n\u{1}".utf8).randomElement(using: &generator) ?? 0
            }
            let folder = try ToolFolder(files: ["/proc/net/tcp6": String(decoding: bytes, as: UTF8.self)])
            _ = try await folder.perform("port.list")
        }
    }
}
