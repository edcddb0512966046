import CLinux
import DriverKit

/// What is remembered between samples: the open buffer, the names of the series, and the last processor times.
///
/// Names are made once for each thing; a sample of the same machine allocates next to nothing.
struct HostState {
    let files: SystemFiles
    let cgroups: Cgroups
    private var counting: Set<String>
    private var cpu: CPUTimes?
    private var disks: [String: Names?] = [:]
    private var networks: [String: Names?] = [:]
    private var containers: [Cgroups.Group: Container] = [:]
    private var order: [Cgroups.Group] = []
    private var mounts: [(names: Names, path: String)] = []
    private var samplesToMounts = 0

    /// Names of the series of one thing.
    private struct Names {
        let first, second, third: String

        init(_ thing: String, _ first: String, _ second: String, _ third: String) {
            (self.first, self.second, self.third) = ("\(thing).\(first)", "\(thing).\(second)", "\(thing).\(third)")
        }
    }

    init(_ files: SystemFiles, _ counting: Set<HostDriver.Containers>) {
        self.files = files
        self.counting = Set(counting.map(\.rawValue))
        cgroups = Cgroups(files)
    }

    /// From now on another driver counts these containers.
    mutating func leave(_ containers: HostDriver.Containers) { counting.remove(containers.rawValue) }

    mutating func sample(into batch: inout SampleBatch) {
        sampleProcessors(&batch)
        sampleMemory(&batch)
        samplePressure(&batch)
        sampleDisks(&batch)
        sampleNetworks(&batch)
        sampleMounts(&batch)
        for container in runningContainers() { container.append(to: &batch, cgroups, files) }
    }

    private mutating func sampleProcessors(_ batch: inout SampleBatch) {
        if let now = files.read("/proc/stat", { CPUTimes(&$0) }) {
            let before = cpu ?? now
            for (name, part) in Self.processorParts { batch.append(name, now.share(since: before, of: part)) }
            cpu = now
        }
        if let load = files.read("/proc/loadavg", { LoadFigures(&$0) }) {
            batch.append("host.load.1", load.one)
            batch.append("host.load.5", load.five)
            batch.append("host.load.15", load.fifteen)
            batch.append("host.processes", Double(load.processes))
        }
        if let uptime = files.read("/proc/uptime", { $0.decimal() }) { batch.append("host.uptime", uptime) }
    }

    private func sampleMemory(_ batch: inout SampleBatch) {
        guard let memory = files.read("/proc/meminfo", { MemoryFigures(&$0) }) else { return }
        batch.append("host.memory.total", Double(memory.total))
        batch.append("host.memory.used", Double(memory.total - min(memory.total, memory.available)))
        batch.append("host.swap.total", Double(memory.swapTotal))
        batch.append("host.swap.used", Double(memory.swapTotal - min(memory.swapTotal, memory.swapFree)))
    }

    private func samplePressure(_ batch: inout SampleBatch) {
        for source in Self.pressureSources {
            guard let pressure = files.read(source.path, { PressureFigures(&$0) }) else { continue }
            batch.append(source.some, pressure.some)
            if let full = pressure.full { batch.append(source.full, full) }
        }
    }

    private mutating func sampleDisks(_ batch: inout SampleBatch) {
        let figures = files.read("/proc/diskstats") { scanner in Self.lines(&scanner) { DiskFigures(line: &$0) } }
        for disk in figures ?? [] {
            if disks[disk.name] == nil {
                disks[disk.name] = .some(
                    isWholeDisk(disk.name) ? Names("host.disk.\(disk.name)", "read", "written", "busy") : nil)
            }
            guard let names = disks[disk.name] ?? nil else { continue }
            batch.append(names.first, Double(disk.readBytes))
            batch.append(names.second, Double(disk.writtenBytes))
            batch.append(names.third, Double(disk.busyMilliseconds) / 1000)
        }
    }

    /// Partitions are counted with their disks; devices made of memory or files are no disks.
    private func isWholeDisk(_ name: String) -> Bool {
        !["loop", "ram", "zram", "sr", "fd"].contains { name.hasPrefix($0) } && files.exists("/sys/block/\(name)")
    }

    private mutating func sampleNetworks(_ batch: inout SampleBatch) {
        let figures = files.read("/proc/net/dev") { scanner in Self.lines(&scanner) { NetworkFigures(line: &$0) } }
        for network in figures ?? [] {
            if networks[network.name] == nil {
                networks[network.name] = .some(
                    Self.isOwn(network.name)
                        ? Names("host.network.\(network.name)", "received", "sent", "troubles") : nil)
            }
            guard let names = networks[network.name] ?? nil else { continue }
            batch.append(names.first, Double(network.receivedBytes))
            batch.append(names.second, Double(network.sentBytes))
            batch.append(names.third, Double(network.troubles))
        }
    }

    /// The ends of containers' and guests' cables come and go with them and are counted there.
    private static func isOwn(_ interface: String) -> Bool {
        interface != "lo"
            && !["veth", "ifb", "tap", "fwbr", "fwln", "fwpr", "dummy"].contains { interface.hasPrefix($0) }
    }

    private mutating func sampleMounts(_ batch: inout SampleBatch) {
        if samplesToMounts == 0 {
            mounts = diskMounts().map { (Names("host.filesystem.\($0.path)", "used", "total", "available"), $0.path) }
            samplesToMounts = 6
        }
        samplesToMounts -= 1
        for mount in mounts {
            guard let room = room(of: mount.path) else { continue }
            batch.append(mount.names.first, Double(room.total_bytes - min(room.total_bytes, room.free_bytes)))
            batch.append(mount.names.second, Double(room.total_bytes))
            batch.append(mount.names.third, Double(room.available_bytes))
        }
    }

    func room(of path: String) -> linux_filesystem? {
        var room = linux_filesystem()
        return linux_filesystem_of(files.root + path, &room) == 0 ? room : nil
    }

    /// Each disk file system once, where it is mounted first.
    func diskMounts() -> [MountFigures] {
        let all = files.read("/proc/self/mounts") { scanner in Self.lines(&scanner) { MountFigures(line: &$0) } } ?? []
        var devices: Set<String> = []
        return all.filter { devices.insert($0.device).inserted }
    }

    /// The running containers in the order of their names; remembered ones keep the names of their series.
    mutating func runningContainers() -> [Container] {
        let groups = cgroups.groups(files).filter { counting.contains($0.engine.rawValue) }
        let present = Set(groups)
        if present.count != containers.count || !present.allSatisfy({ containers[$0] != nil }) {
            containers = containers.filter { present.contains($0.key) }
            for group in groups where containers[group] == nil { containers[group] = Container(group, cgroups, files) }
            order = present.sorted { ($0.id, $0.path) < ($1.id, $1.path) }
        }
        return order.compactMap { containers[$0] }
    }

    /// What `make` makes of each line that it can read.
    static func lines<Figures>(
        _ scanner: inout ByteScanner, _ make: (inout ByteScanner) -> Figures?
    ) -> [Figures] {
        var found: [Figures] = []
        repeat {
            if let figures = make(&scanner) { found.append(figures) }
        } while scanner.nextLine()
        return found
    }

    private static let processorParts: [(String, any KeyPath<CPUTimes, UInt64> & Sendable)] = [
        ("host.cpu.user", \.user), ("host.cpu.system", \.system), ("host.cpu.iowait", \.iowait),
        ("host.cpu.steal", \.steal), ("host.cpu.idle", \.idle),
    ]
    private static let pressureSources = ["cpu", "memory", "io"].map { kind in
        (path: "/proc/pressure/\(kind)", some: "host.pressure.\(kind).some", full: "host.pressure.\(kind).full")
    }
}
