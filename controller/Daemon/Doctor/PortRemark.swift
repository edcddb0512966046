import DaemonKit
import Glibc

/// Whether the controller can listen where it is told to.
enum PortRemark {
    /// - Parameter holder: the process that runs on the data folder.
    static func examine(_ address: Address, for purpose: String, holder: Int32?) -> Remark {
        let (subject, place) = ("port of the \(purpose)", "\(address.host):\(address.port)")
        switch bind(address) {
        case 0: return .good(subject, "\(place) is free")
        case EADDRINUSE:
            if let holder, ListeningSockets(of: holder).hold(address.port) {
                return .good(subject, "\(place) is held by process \(holder), which runs on the data folder")
            }
            return .wrong(
                subject, "\(place) is in use, and not by this controller",
                advice: "see by whom: ss -ltnp 'sport = :\(address.port)'; stop that, or choose another port")
        case EADDRNOTAVAIL:
            return .wrong(
                subject, "this machine has no address \(address.host)", advice: "choose another in the configuration")
        case EACCES:
            return .wrong(
                subject, "\(place) needs root", advice: "choose a port above 1023, or give CAP_NET_BIND_SERVICE")
        case let code:
            let reason = code < 0 ? "\(address.host) does not resolve" : String(cString: strerror(code))
            return .wrong(subject, "\(place) cannot be listened on: \(reason)", advice: "choose another address")
        }
    }

    /// 0, an errno, or -1 for a name without an address. The port is free again when it returns.
    private static func bind(_ address: Address) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, "\(address.port)", &hints, &list) == 0, let first = list else { return -1 }
        defer { freeaddrinfo(list) }
        let socket = Glibc.socket(
            first.pointee.ai_family, first.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue),
            first.pointee.ai_protocol)
        guard socket >= 0 else { return errno }
        defer { close(socket) }
        // As the listeners do: connections of an earlier run that linger are no hindrance.
        var yes: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard Glibc.bind(socket, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else { return errno }
        return listen(socket, 1) == 0 ? 0 : errno
    }
}

/// How many connections the controller can hold.
enum DescriptorRemark {
    private static let needed = 4096

    static func examine(_ limit: Int) -> Remark {
        guard limit < needed else { return .good("descriptors", "up to \(limit) files and connections") }
        return .wrong(
            "descriptors", "only \(limit) files and connections, each agent and each user takes one",
            advice: "raise the hard limit: LimitNOFILE= of the unit, or ulimit -Hn")
    }
}

/// The sockets on which a process of this machine listens.
struct ListeningSockets {
    private let ports: Set<Int>

    init(of process: Int32) {
        var inodes: Set<String> = []
        let folder = "/proc/\(process)/fd"
        for name in Self.names(in: folder) {
            var bytes = [CChar](repeating: 0, count: 64)
            let count = readlink("\(folder)/\(name)", &bytes, bytes.count)
            guard count > 0 else { continue }
            let target = String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if target.hasPrefix("socket:["), target.hasSuffix("]") {
                inodes.insert(String(target.dropFirst(8).dropLast()))
            }
        }
        ports = ["tcp", "tcp6"].reduce(into: []) { $0.formUnion(Self.ports("/proc/\(process)/net/\($1)", inodes)) }
    }

    func hold(_ port: Int) -> Bool { ports.contains(port) }

    /// Local ports of the table's listening sockets that have one of these inodes.
    private static func ports(_ table: String, _ inodes: Set<String>) -> [Int] {
        guard let file = fopen(table, "r") else { return [] }
        defer { fclose(file) }
        var ports: [Int] = []
        var line: UnsafeMutablePointer<CChar>?
        var room = 0
        defer { free(line) }
        while getline(&line, &room, file) > 0, let text = line {
            let fields = String(cString: text).split(separator: " ")
            guard fields.count > 9, fields[3] == "0A", inodes.contains(String(fields[9])),
                let port = fields[1].split(separator: ":").last.flatMap({ Int($0, radix: 16) })
            else { continue }
            ports.append(port)
        }
        return ports
    }

    private static func names(in folder: String) -> [String] { namesInFolder(folder) ?? [] }
}
