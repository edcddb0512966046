import DriverKit
import WireProtocol

/// Who listens on this machine, read from `/proc` without a child.
extension HostDriver {
    func listPorts(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let wanted = try reader.optionalInteger("port")
        let transport = try reader.optionalString("transport")
        try reader.finish()
        let root = root
        let ports = await aside { PortSurvey(SystemFiles(root: root)) }
        let list = ports.all.filter { port in
            (wanted.map { Int64(port.port) == $0 } ?? true)
                && (transport.map { port.transport.rawValue.hasPrefix($0) } ?? true)
        }
        return ActionOutcome(
            changed: false,
            observed: ["ports": .array(list.map { .object(ports.json($0)) }), "complete": .bool(ports.isComplete)])
    }
}

/// The listening ports and their processes at one moment.
struct PortSurvey: Sendable {
    let all: [ListeningPort]
    private let holders: [UInt64: [SocketHolder]]
    /// Whether there were no more ports than are told.
    let isComplete: Bool

    private static let limit = 2000

    init(_ files: SystemFiles) {
        let found = ListeningPort.Transport.allCases.flatMap { transport in
            files.read("/proc/net/\(transport.rawValue)") { ListeningPort.parse(&$0, transport) } ?? []
        }
        isComplete = found.count <= Self.limit
        all = found.sorted {
            ($0.port, $0.transport.rawValue, $0.address) < ($1.port, $1.transport.rawValue, $1.address)
        }
        .prefix(Self.limit).map { $0 }
        holders = Self.holders(of: Set(all.map(\.inode)), files)
    }

    /// A process that ends while it is looked at, or that may not be looked at, is left out.
    private static func holders(of inodes: Set<UInt64>, _ files: SystemFiles) -> [UInt64: [SocketHolder]] {
        var holders: [UInt64: [SocketHolder]] = [:]
        var processes: [Int32] = []
        files.directories(in: "/proc") { name in if let pid = Int32(name) { processes.append(pid) } }
        for pid in processes.sorted() {
            var held: Set<UInt64> = []
            files.names(in: "/proc/\(pid)/fd") { name in
                guard let link = files.link("/proc/\(pid)/fd/\(name)"), link.hasPrefix("socket:["),
                    let inode = UInt64(link.dropFirst(8).dropLast()), inodes.contains(inode)
                else { return }
                held.insert(inode)
            }
            guard !held.isEmpty, let holder = SocketHolder(pid, files) else { continue }
            for inode in held { holders[inode, default: []].append(holder) }
        }
        return holders
    }

    func json(_ port: ListeningPort) -> JSONObject {
        [
            "transport": .string(port.transport.rawValue), "address": .string(port.address),
            "port": .integer(Int64(port.port)), "user": .integer(Int64(clamping: port.user)),
            "processes": .array((holders[port.inode] ?? []).prefix(64).map { .object($0.json) }),
        ]
    }
}

extension SocketHolder {
    /// Nil when the process is gone.
    fileprivate init?(_ pid: Int32, _ files: SystemFiles) {
        guard let name = files.text("/proc/\(pid)/comm") else { return nil }
        let groups = files.text("/proc/\(pid)/cgroup")?.split(separator: "\n").compactMap {
            $0.split(separator: ":", maxSplits: 2).last.map(String.init)
        }
        let group = groups?.first { $0 != "/" }.flatMap { $0.split(separator: "/").last.map(String.init) }
        self.init(pid: pid, name: name, program: files.link("/proc/\(pid)/exe"), group: group)
    }
}
