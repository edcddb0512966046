/// Time of all processors since the start, in ticks of 10 ms.
struct CPUTimes: Equatable {
    var user: UInt64 = 0
    var system: UInt64 = 0
    var idle: UInt64 = 0
    var iowait: UInt64 = 0
    var steal: UInt64 = 0
    var total: UInt64 { user &+ system &+ idle &+ iowait &+ steal }

    /// From `/proc/stat`; guests are part of user, interrupts go to system.
    init?(_ scanner: inout ByteScanner) {
        guard scanner.skip("cpu "), let user = scanner.number(), let nice = scanner.number(),
            let system = scanner.number(), let idle = scanner.number()
        else { return nil }
        self.user = user &+ nice
        self.idle = idle
        iowait = scanner.number() ?? 0
        self.system = system &+ (scanner.number() ?? 0) &+ (scanner.number() ?? 0)
        steal = scanner.number() ?? 0
    }

    /// What part of the time since `earlier` went where, in percent of all processors; `nil` when no time has passed.
    func share(since earlier: CPUTimes, of part: KeyPath<CPUTimes, UInt64>) -> Double? {
        guard total > earlier.total else { return nil }
        let spent = self[keyPath: part]
        let before = earlier[keyPath: part]
        // iowait is documented to go back now and then.
        return spent > before ? 100 * Double(spent - before) / Double(total - earlier.total) : 0
    }
}

/// `/proc/meminfo`, in bytes.
struct MemoryFigures: Equatable {
    let total: UInt64
    let available: UInt64
    let swapTotal: UInt64
    let swapFree: UInt64

    init?(_ scanner: inout ByteScanner) {
        guard let total = scanner.value(of: "MemTotal"), let free = scanner.value(of: "MemFree") else { return nil }
        self.total = total << 10
        available = (scanner.value(of: "MemAvailable") ?? free) << 10
        swapTotal = (scanner.value(of: "SwapTotal") ?? 0) << 10
        swapFree = (scanner.value(of: "SwapFree") ?? 0) << 10
    }
}

/// `/proc/loadavg`.
struct LoadFigures: Equatable {
    let one, five, fifteen: Double
    let running: UInt64
    let processes: UInt64

    init?(_ scanner: inout ByteScanner) {
        guard let one = scanner.decimal(), let five = scanner.decimal(), let fifteen = scanner.decimal(),
            let running = scanner.number(), scanner.skip("/"), let processes = scanner.number()
        else { return nil }
        (self.one, self.five, self.fifteen) = (one, five, fifteen)
        (self.running, self.processes) = (running, processes)
    }
}

/// A file of `/proc/pressure`: percent of the last 10 seconds in which some, or all, tasks waited.
struct PressureFigures: Equatable {
    let some: Double
    /// Absent for processors on older kernels.
    let full: Double?

    init?(_ scanner: inout ByteScanner) {
        guard scanner.skip("some avg10="), let some = scanner.decimal() else { return nil }
        self.some = some
        full = scanner.nextLine() && scanner.skip("full avg10=") ? scanner.decimal() : nil
    }
}

/// A line of `/proc/diskstats`.
struct DiskFigures: Equatable {
    let name: String
    let readBytes: UInt64
    let writtenBytes: UInt64
    let busyMilliseconds: UInt64

    /// Sectors in this file are 512 bytes, whatever the disk's are.
    init?(line scanner: inout ByteScanner) {
        guard scanner.number() != nil, scanner.number() != nil else { return nil }
        name = scanner.word()
        var fields: [UInt64] = []
        fields.reserveCapacity(10)
        while fields.count < 10, let field = scanner.number() { fields.append(field) }
        guard fields.count == 10 else { return nil }
        readBytes = fields[2] &* 512
        writtenBytes = fields[6] &* 512
        busyMilliseconds = fields[9]
    }
}

/// A line of `/proc/net/dev`.
struct NetworkFigures: Equatable {
    let name: String
    let receivedBytes: UInt64
    let sentBytes: UInt64
    /// Errors and drops both ways.
    let troubles: UInt64

    init?(line scanner: inout ByteScanner) {
        name = scanner.word(endingAt: 0x3A)
        guard !name.isEmpty, scanner.skip(":") else { return nil }
        var fields: [UInt64] = []
        fields.reserveCapacity(12)
        while fields.count < 12, let field = scanner.number() { fields.append(field) }
        guard fields.count == 12 else { return nil }
        receivedBytes = fields[0]
        sentBytes = fields[8]
        troubles = fields[2] &+ fields[3] &+ fields[10] &+ fields[11]
    }
}

/// A line of `/proc/self/mounts` that stands for a disk.
struct MountFigures: Equatable {
    let device: String
    let path: String
    let kind: String

    /// Only what lies on a block device of this machine: asking a network file system could hang.
    init?(line scanner: inout ByteScanner) {
        device = scanner.word()
        path = Self.unescaped(scanner.word())
        kind = scanner.word()
        guard device.hasPrefix("/dev/"), !device.hasPrefix("/dev/loop"), path.hasPrefix("/") else { return nil }
    }

    /// Blanks, tabs, line feeds and backslashes are written as `\040` and so on.
    private static func unescaped(_ text: String) -> String {
        guard text.contains("\\") else { return text }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == 0x5C, digits.count == 3, let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
