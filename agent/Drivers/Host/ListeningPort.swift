import WireProtocol

/// A socket of this machine that waits for others, from `/proc/net`.
struct ListeningPort: Sendable, Hashable {
    enum Transport: String, Sendable, Hashable, CaseIterable {
        case tcp, tcp6, udp, udp6

        /// How the kernel writes the state of a socket that waits: `LISTEN`, or for datagrams `CLOSE`.
        fileprivate var waiting: UInt64 { self == .tcp || self == .tcp6 ? 0x0A : 0x07 }
    }

    let transport: Transport
    let address: String
    let port: UInt16
    let user: UInt64
    /// Number of the socket, by which its processes are found.
    let inode: UInt64

    /// The waiting sockets of `/proc/net/<transport>`.
    static func parse(_ scanner: inout ByteScanner, _ transport: Transport) -> [ListeningPort] {
        HostState.lines(&scanner) { ListeningPort(line: &$0, transport) }
    }

    /// `0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 12345 …`
    private init?(line scanner: inout ByteScanner, _ transport: Transport) {
        self.transport = transport
        guard scanner.number() != nil, scanner.skip(":") else { return nil }
        let local = scanner.word().split(separator: ":")
        let remote = scanner.word()
        guard local.count == 2, let port = UInt16(local[1], radix: 16), let address = Self.address(local[0]),
            UInt64(scanner.word(), radix: 16) == transport.waiting, remote.hasSuffix(":0000")
        else { return nil }
        // Queues, timer, and how often it was sent again.
        for _ in 0..<3 where !scanner.skipWord() { return nil }
        guard let user = scanner.number(), scanner.number() != nil, let inode = scanner.number(), port != 0 else {
            return nil
        }
        (self.address, self.port, self.user, self.inode) = (address, port, user, inode)
    }

    /// Words of 32 bits, each in the machine's order of bytes.
    private static func address(_ text: Substring) -> String? {
        guard text.utf8.count == 8 || text.utf8.count == 32 else { return nil }
        var bytes: [UInt8] = []
        var rest = text
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            withUnsafeBytes(of: word) { bytes += $0 }
            rest = rest.dropFirst(8)
        }
        guard bytes.count == 16 else { return bytes.map(String.init).joined(separator: ".") }
        if bytes[0..<12].elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) {
            return bytes[12...].map(String.init).joined(separator: ".")
        }
        return ipv6(stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) })
    }

    /// The longest run of two or more zeros is left out.
    private static func ipv6(_ groups: [UInt16]) -> String {
        var best = 0..<0
        var start = 0
        while start < groups.count {
            let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
            if end - start > max(1, best.count) { best = start..<end }
            start = max(end, start) + 1
        }
        func text(_ groups: ArraySlice<UInt16>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty
            ? text(groups[...]) : "\(text(groups[..<best.lowerBound]))::\(text(groups[best.upperBound...]))"
    }
}

/// A process that holds a socket.
struct SocketHolder: Sendable, Hashable {
    let pid: Int32
    /// The kernel's short name of the program; the command line may hold secrets and is not told.
    let name: String
    /// The program's file, where it can be seen.
    let program: String?
    /// The unit or container that it belongs to: the last part of its control group's path.
    let group: String?

    var json: JSONObject {
        var object: JSONObject = ["pid": .integer(Int64(pid)), "name": .string(name)]
        object["program"] = program.map { .string($0) }
        object["group"] = group.map { .string($0) }
        return object
    }
}
