import DriverKit
import Model
import WireProtocol

/// A running container: where its figures are, and what its series are called.
struct Container {
    let group: Cgroups.Group
    /// What people call it: its own name, or the first digits of its id.
    let name: String
    /// The run of the container that its counters belong to.
    let epoch: String
    let paths: Cgroups.Paths
    private let series: Series

    private struct Series {
        let cpu, memory, processes, read, written, received, sent: String
    }

    init(_ group: Cgroups.Group, _ cgroups: Cgroups, _ files: SystemFiles) {
        self.group = group
        name = group.engine == .docker ? String(group.id.prefix(12)) : group.id
        paths = Cgroups.Paths(group, in: cgroups)
        let boot = files.text("/proc/sys/kernel/random/boot_id") ?? "unknown"
        epoch = "\(boot)/\(files.identity(cgroups.memory + group.path) ?? 0)"
        let prefix = "container/\(name)"
        series = Series(
            cpu: "\(prefix).cpu.seconds", memory: "\(prefix).memory.used", processes: "\(prefix).processes",
            read: "\(prefix).io.read", written: "\(prefix).io.written", received: "\(prefix).network.received",
            sent: "\(prefix).network.sent")
    }

    /// Resource name of what runs in the container.
    var resource: String { "\(group.engine.rawValue)/\(name)" }

    func append(to batch: inout SampleBatch, _ cgroups: Cgroups, _ files: SystemFiles) {
        let figures = cgroups.figures(paths, files)
        batch.append(series.cpu, figures.cpuMicroseconds.map { Double($0) / 1_000_000 })
        batch.append(series.memory, figures.memoryBytes.map { Double($0) })
        batch.append(series.processes, figures.processes.map { Double($0) })
        batch.append(series.read, figures.readBytes.map { Double($0) })
        batch.append(series.written, figures.writtenBytes.map { Double($0) })
        let traffic = traffic(files)
        batch.append(series.received, traffic.map { Double($0.received) })
        batch.append(series.sent, traffic.map { Double($0.sent) })
    }

    /// What went over the container's own network; `nil` where it shares the machine's.
    func traffic(_ files: SystemFiles) -> (received: UInt64, sent: UInt64)? {
        guard let member = files.read(paths.members, { $0.number() }),
            let network = files.link("/proc/\(member)/ns/net"), network != files.link("/proc/self/ns/net")
        else { return nil }
        return files.read("/proc/\(member)/net/dev") { scanner in
            var sum: (received: UInt64, sent: UInt64) = (0, 0)
            repeat {
                guard let line = NetworkFigures(line: &scanner), line.name != "lo" else { continue }
                sum.received &+= line.receivedBytes
                sum.sent &+= line.sentBytes
            } while scanner.nextLine()
            return sum
        }
    }

    func counters(_ cgroups: Cgroups, _ files: SystemFiles) -> [UsageCounter] {
        let figures = cgroups.figures(paths, files)
        let traffic = traffic(files)
        let meters: [(String, UInt64?)] = [
            ("cpu_ms", figures.cpuMicroseconds.map { $0 / 1000 }), ("network_rx_bytes", traffic?.received),
            ("network_tx_bytes", traffic?.sent),
        ]
        return meters.compactMap { meter, value in
            value.map { UsageCounter(subject: resource, meter: meter, epoch: epoch, value: Int64(clamping: $0)) }
        }
    }

    func json(_ cgroups: Cgroups, _ files: SystemFiles) -> JSONObject {
        let figures = cgroups.figures(paths, files, withLimit: true)
        var object: JSONObject = [
            "name": .string(name), "engine": .string(group.engine.rawValue), "id": .string(group.id),
        ]
        for (key, value) in [
            ("cpu_ms", figures.cpuMicroseconds.map { $0 / 1000 }), ("memory_bytes", figures.memoryBytes),
            ("memory_limit_bytes", figures.memoryLimitBytes), ("processes", figures.processes),
            ("read_bytes", figures.readBytes), ("written_bytes", figures.writtenBytes),
        ] {
            object[key] = value.map { .integer(Int64(clamping: $0)) }
        }
        return object
    }
}
