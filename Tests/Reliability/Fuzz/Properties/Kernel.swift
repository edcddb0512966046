@testable import DockerDriver
@testable import HostDriver

/// Files of `/proc` and of control groups.
enum Kernel {
    static let targets = [
        FuzzTarget("proc") { input in
            try figures(input)
            try lists(input)
            try groups(input)
            try numbers(text(input))
        }
    ]

    private static func scan<Value>(
        _ input: UnsafeRawBufferPointer, _ read: (inout ByteScanner) -> Value
    ) -> Value {
        var scanner = ByteScanner(input)
        return read(&scanner)
    }

    private static func figures(_ input: UnsafeRawBufferPointer) throws {
        if let times = scan(input, { CPUTimes(&$0) }) {
            let none = scan(UnsafeRawBufferPointer(start: nil, count: 0)) { CPUTimes(&$0) }
            try require(none == nil, "times out of nothing")
            for part in [\CPUTimes.user, \.system, \.idle, \.iowait, \.steal] {
                try require(times.share(since: times, of: part) == nil, "a share of no time")
            }
        }
        if let memory = scan(input, { MemoryFigures(&$0) }) { _ = memory.total &- memory.available }
        if let load = scan(input, { LoadFigures(&$0) }) {
            try require(load.one >= 0 && load.five >= 0 && load.fifteen.isFinite, "an odd load")
        }
        if let pressure = scan(input, { PressureFigures(&$0) }) {
            try require(pressure.some >= 0 && pressure.some.isFinite && (pressure.full ?? 0) >= 0, "an odd pressure")
        }
        if let decimal = scan(input, { $0.decimal() }) {
            try require(decimal >= 0 && decimal.isFinite, "an odd decimal: \(decimal)")
            _ = HostDriver.seconds(decimal)
        }
    }

    private static func lists(_ input: UnsafeRawBufferPointer) throws {
        let lines = input.split(separator: 0x0A, omittingEmptySubsequences: false).count
        let disks = scan(input) { HostState.lines(&$0) { DiskFigures(line: &$0) } }
        let networks = scan(input) { HostState.lines(&$0) { NetworkFigures(line: &$0) } }
        let mounts = scan(input) { HostState.lines(&$0) { MountFigures(line: &$0) } }
        try require(max(disks.count, networks.count, mounts.count) <= lines, "more things than lines")
        try require(networks.allSatisfy { !$0.name.isEmpty }, "a network without a name")
        try require(mounts.allSatisfy { $0.path.hasPrefix("/") && $0.device.hasPrefix("/dev/") }, "an odd mount")
    }

    private static func groups(_ input: UnsafeRawBufferPointer) throws {
        _ = scan(input) { Cgroups.transfer(unified: &$0) }
        _ = scan(input) { Cgroups.transfer(separate: &$0) }
        for key in ["usage_usec", "inactive_file", "MemTotal"] as [StaticString] {
            let found = scan(input) { $0.value(of: key) }
            try require(found == nil || text(input).contains("\(key)"), "a value of a key that is not there")
        }
    }

    private static func numbers(_ text: String) throws {
        let traffic = ContainerReading.traffic(text)
        try require(traffic.received >= 0 && traffic.sent >= 0, "a negative traffic")
        _ = ProcessFiles.number("usage_usec", in: text)
    }
}
