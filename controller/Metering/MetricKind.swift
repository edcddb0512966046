/// What a series measures, by its name. Named once here: charts, lists and readers of the API ask it.
package struct MetricKind: Sendable, Hashable {
    package enum Form: String, Sendable, Hashable {
        /// Stands for a moment: its mean says something.
        case gauge
        /// Only grows: what it grew by in a time says something, its value does not.
        case counter
    }

    /// A `*` stands for what is measured: a disk, an interface, a container.
    package let pattern: String
    package let form: Form
    /// Of the value that the node sends.
    package let unit: String
    /// Of the value that is shown: of a counter, its rate.
    package let shownUnit: String
    package let meaning: String

    /// All that are known, in the order of their names.
    package static let all: [MetricKind] = [
        gauge("*.memory.used", "bytes", "Memory in use, without what can be given up at once."),
        gauge("*.processes", "processes", "Processes and threads in it."),
        counter("*.cpu.seconds", "seconds", "cores", "Processor time; as a rate, the processors in use."),
        counter("*.io.read", "bytes", "bytes/s", "Read from disks."),
        counter("*.io.written", "bytes", "bytes/s", "Written to disks."),
        counter("*.network.received", "bytes", "bytes/s", "Received over its own network."),
        counter("*.network.sent", "bytes", "bytes/s", "Sent over its own network."),
        gauge("cloudpanel.databases", "databases", "Databases of sites."),
        gauge("cloudpanel.sites", "sites", "Sites."),
        gauge("cloudpanel.sites.suspended", "sites", "Sites that are suspended."),
        gauge("dataset.quota", "bytes", "What the data set may hold."),
        gauge("dataset.used", "bytes", "What the data set holds."),
        gauge("helm.releases.*", "releases", "Releases in a state."),
        gauge("host.cpu.*", "percent", "Share of processor time since the sample before."),
        counter("host.disk.*.busy", "seconds", "share", "Time with work; as a rate, 1 is always busy."),
        counter("host.disk.*.read", "bytes", "bytes/s", "Read from the disk."),
        counter("host.disk.*.written", "bytes", "bytes/s", "Written to the disk."),
        gauge("host.filesystem.*.available", "bytes", "Room for others than root."),
        gauge("host.filesystem.*.total", "bytes", "Size of the file system."),
        gauge("host.filesystem.*.used", "bytes", "Room that is taken."),
        gauge("host.load.*", "processes", "Mean number of processes that run or wait, over so many minutes."),
        gauge("host.memory.*", "bytes", "Memory of the machine."),
        counter("host.network.*.received", "bytes", "bytes/s", "Received on the interface."),
        counter("host.network.*.sent", "bytes", "bytes/s", "Sent on the interface."),
        counter("host.network.*.troubles", "packets", "packets/s", "Packets that were lost or wrong."),
        gauge("host.pressure.*", "percent", "Share of time in which work waited."),
        gauge("host.processes", "processes", "Processes and threads of the machine."),
        gauge("host.swap.*", "bytes", "Swap of the machine."),
        gauge("host.uptime", "seconds", "Time since the start of the machine."),
        gauge("libvirt.vms.*", "machines", "Virtual machines."),
        gauge("zfs/*.quota", "bytes", "What the data set may hold."),
        gauge("zfs/*.used", "bytes", "What the data set holds."),
        gauge("zpool/*.free", "bytes", "Room that is free in the pool."),
        gauge("zpool/*.online", "truth", "1 when the pool is online, else 0."),
        gauge("zpool/*.size", "bytes", "Size of the pool."),
    ]

    /// The kind of a series; a gauge without a unit when nobody has named it.
    package static func of(_ name: String) -> MetricKind {
        all.first { !$0.pattern.hasPrefix("*") && $0.fits(name) } ?? all.first { $0.fits(name) }
            ?? gauge(name, "", "")
    }

    private static func gauge(_ pattern: String, _ unit: String, _ meaning: String) -> MetricKind {
        MetricKind(pattern: pattern, form: .gauge, unit: unit, shownUnit: unit, meaning: meaning)
    }

    private static func counter(
        _ pattern: String, _ unit: String, _ rate: String, _ meaning: String
    ) -> MetricKind {
        MetricKind(pattern: pattern, form: .counter, unit: unit, shownUnit: rate, meaning: meaning)
    }

    /// What begins with `*.` stands for the short name within a service as well.
    private func fits(_ name: String) -> Bool {
        guard let star = pattern.firstIndex(of: "*") else { return name == pattern }
        let (head, tail) = (pattern[..<star], pattern[pattern.index(after: star)...])
        if head.isEmpty, name == tail.dropFirst() { return true }
        return name.utf8.count > head.utf8.count + tail.utf8.count && name.hasPrefix(head) && name.hasSuffix(tail)
    }
}
