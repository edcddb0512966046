/// The control groups of this machine's containers, in either version of the kernel's layout.
struct Cgroups {
    /// Where the files of one container lie.
    struct Group: Hashable {
        enum Engine: String { case docker, lxc }

        let engine: Engine
        /// What the group is named after: an id of 64 hexadecimal digits, or the container's own name.
        let id: String
        /// Below the root of a hierarchy, with a slash in front.
        let path: String
    }

    static let base = "/sys/fs/cgroup"

    /// One hierarchy for everything (version 2), or one for each kind of figure.
    let isUnified: Bool
    let memory: String
    let cpu: String
    let pids: String
    let io: String

    init(_ files: SystemFiles) {
        isUnified = files.exists("\(Self.base)/cgroup.controllers")
        guard !isUnified else {
            (memory, cpu, pids, io) = (Self.base, Self.base, Self.base, Self.base)
            return
        }
        let shared = "\(Self.base)/cpu,cpuacct"
        memory = "\(Self.base)/memory"
        cpu = files.exists(shared) ? shared : "\(Self.base)/cpuacct"
        pids = "\(Self.base)/pids"
        io = "\(Self.base)/blkio"
    }

    /// The groups of all running containers, in no particular order.
    func groups(_ files: SystemFiles) -> [Group] {
        var groups: [Group] = []
        func add(_ engine: Group.Engine, _ id: some StringProtocol, _ path: String) {
            groups.append(Group(engine: engine, id: String(id), path: path))
        }
        // Docker by itself, and Docker with systemd in charge of groups.
        files.directories(in: "\(memory)/docker") { name in
            if Self.isContainerID(name) { add(.docker, name, "/docker/\(name)") }
        }
        files.directories(in: "\(memory)/system.slice") { name in
            guard name.hasPrefix("docker-"), name.hasSuffix(".scope") else { return }
            let id = name.dropFirst(7).dropLast(6)
            if Self.isContainerID(id) { add(.docker, id, "/system.slice/\(name)") }
        }
        // LXC from version 4 on, and as Proxmox sets it up.
        files.directories(in: memory) { name in
            if name.hasPrefix("lxc.payload.") { add(.lxc, name.dropFirst(12), "/\(name)") }
        }
        files.directories(in: "\(memory)/lxc") { name in add(.lxc, name, "/lxc/\(name)") }
        return groups
    }

    private static func isContainerID(_ name: some StringProtocol) -> Bool {
        name.utf8.count == 64
            && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

/// The figures of one container at one moment. What the kernel does not tell is absent.
struct ContainerFigures: Equatable {
    var cpuMicroseconds: UInt64?
    /// In use, less the cache that can go at any time: what Docker shows.
    var memoryBytes: UInt64?
    /// `nil` when there is no limit.
    var memoryLimitBytes: UInt64?
    var processes: UInt64?
    var readBytes: UInt64?
    var writtenBytes: UInt64?
}

extension Cgroups {
    /// Paths of one container's files, made once.
    struct Paths {
        let cpu, memory, memoryStatistics, memoryLimit, processes, io, members: String

        init(_ group: Group, in cgroups: Cgroups) {
            let (path, two) = (group.path, cgroups.isUnified)
            cpu = "\(cgroups.cpu)\(path)/\(two ? "cpu.stat" : "cpuacct.usage")"
            memory = "\(cgroups.memory)\(path)/\(two ? "memory.current" : "memory.usage_in_bytes")"
            memoryStatistics = "\(cgroups.memory)\(path)/memory.stat"
            memoryLimit = "\(cgroups.memory)\(path)/\(two ? "memory.max" : "memory.limit_in_bytes")"
            processes = "\(cgroups.pids)\(path)/pids.current"
            io = "\(cgroups.io)\(path)/\(two ? "io.stat" : "blkio.throttle.io_service_bytes")"
            members = "\(cgroups.memory)\(path)/cgroup.procs"
        }
    }

    func figures(_ paths: Paths, _ files: SystemFiles, withLimit: Bool = false) -> ContainerFigures {
        var figures = ContainerFigures()
        figures.cpuMicroseconds = files.read(paths.cpu) {
            isUnified ? $0.value(of: "usage_usec") : $0.number().map { $0 / 1000 }
        }
        if let used = files.read(paths.memory, { $0.number() }) {
            let cache = files.read(paths.memoryStatistics) {
                $0.value(of: isUnified ? "inactive_file" : "total_inactive_file")
            }
            figures.memoryBytes = used - min(used, cache ?? 0)
        }
        figures.processes = files.read(paths.processes) { $0.number() }
        let transfer = files.read(paths.io) { isUnified ? Self.transfer(unified: &$0) : Self.transfer(separate: &$0) }
        figures.readBytes = transfer?.read
        figures.writtenBytes = transfer?.written
        if withLimit {
            // Version 1 has no word for "none" but the largest number of whole pages.
            figures.memoryLimitBytes = files.read(paths.memoryLimit) { $0.number() }.flatMap { $0 < 1 << 62 ? $0 : nil }
        }
        return figures
    }

    /// `8:0 rbytes=1 wbytes=2 rios=…` for each device. No line at all means that nothing was read or written yet.
    static func transfer(unified scanner: inout ByteScanner) -> (read: UInt64, written: UInt64)? {
        var sum: (read: UInt64, written: UInt64) = (0, 0)
        repeat {
            while !scanner.isAtLineEnd {
                scanner.skipBlanks()
                if scanner.skip("rbytes=") {
                    sum.read &+= scanner.number() ?? 0
                } else if scanner.skip("wbytes=") {
                    sum.written &+= scanner.number() ?? 0
                } else if !scanner.skipWord() {
                    break
                }
            }
        } while scanner.nextLine()
        return sum
    }

    /// `8:0 Read 1`, `8:0 Write 2`, `8:0 Total 3` for each device, and a `Total` of all.
    static func transfer(separate scanner: inout ByteScanner) -> (read: UInt64, written: UInt64)? {
        var sum: (read: UInt64, written: UInt64) = (0, 0)
        repeat {
            guard scanner.skipWord() else { continue }
            scanner.skipBlanks()
            if scanner.skip("Read ") { sum.read &+= scanner.number() ?? 0 }
            if scanner.skip("Write ") { sum.written &+= scanner.number() ?? 0 }
        } while scanner.nextLine()
        return sum
    }
}
