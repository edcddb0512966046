import Model
import WireProtocol

/// A whole disk of the machine, as `/sys/block` describes it.
struct Drive: Sendable, Hashable {
    let name: String
    let sizeBytes: UInt64
    let vendor: String?
    let model: String?
    let serial: String?
    /// The identity that is the same on every machine, where the drive has one.
    let wwid: String?
    let isRotational: Bool?
    let isRemovable: Bool
    /// The number of the SCSI host that it hangs on.
    let host: Int?
    /// The RAID controller that makes the disk up, or may.
    let controller: RaidController?

    /// All disks in the order of their names; what is made of memory, files or other disks is none.
    static func all(_ files: SystemFiles) -> [Drive] {
        var names: [String] = []
        files.names(in: "/sys/block") { names.append($0) }
        return names.sorted().compactMap { Drive($0, files) }
    }

    private init?(_ name: String, _ files: SystemFiles) {
        guard !Self.isNone(name), Drive.isName(name) else { return nil }
        self.name = name
        let base = "/sys/block/\(name)"
        // One path of several to a disk that is there under its own name; the kernel gives it no device.
        if files.text("\(base)/hidden") == "1" { return nil }
        // Always in units of 512 bytes, whatever the drive's own.
        sizeBytes = (files.read("\(base)/size") { $0.number() } ?? 0).multipliedReportingOverflow(by: 512).partialValue
        func text(_ file: String) -> String? { files.text("\(base)/\(file)").flatMap { $0.isEmpty ? nil : $0 } }
        vendor = text("device/vendor")
        model = text("device/model")
        serial = text("device/serial") ?? text("serial")
        wwid = text("device/wwid") ?? text("wwid")
        isRotational = text("queue/rotational").map { $0 == "1" }
        isRemovable = text("removable") == "1"
        // `…/host0/target0:2:0/0:2:0:0`: the first number is the host's.
        let address = files.link("\(base)/device")?.split(separator: "/").last?.split(separator: ":")
        host = address.flatMap { $0.count == 4 ? Int($0[0]) : nil }
        let driver = host.flatMap { files.text("/sys/class/scsi_host/host\($0)/proc_name") }
        controller = RaidController(vendor: vendor, model: model, driver: driver)
    }

    /// Made of memory, files, other disks or a network; or a part of a card that is a drive as a whole.
    private static func isNone(_ name: String) -> Bool {
        let kinds = [
            "loop", "ram", "zram", "sr", "fd", "dm-", "md", "nbd", "zd", "drbd", "rbd", "rnbd", "bcache", "ublkb",
            "nullb", "mtdblock",
        ]
        if kinds.contains(where: { name.hasPrefix($0) }) { return true }
        let card = name.hasPrefix("mmcblk") ? name.dropFirst("mmcblk".count).drop { $0.isNumber } : ""
        return !card.isEmpty
    }

    /// What stands behind `/dev/` and nothing else.
    static func isName(_ name: String) -> Bool {
        (1...32).contains(name.utf8.count)
            && name.utf8.allSatisfy { (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) }
    }

    var json: JSONObject {
        var object: JSONObject = [
            "name": .string(name), "device": .string("/dev/\(name)"),
            "size_bytes": .integer(Int64(clamping: sizeBytes)), "removable": .bool(isRemovable),
        ]
        object["vendor"] = vendor.map { .string($0) }
        object["model"] = model.map { .string($0) }
        object["serial"] = serial.map { .string($0) }
        object["wwid"] = wwid.map { .string($0) }
        object["rotational"] = isRotational.map { .bool($0) }
        if controller?.isCertain == true { object["raid"] = true }
        return object
    }
}

/// The counters of a disk since the boot, from `/sys/block/<name>/stat`.
struct DriveCounters: Sendable, Hashable {
    let reads, readBytes, readMilliseconds: UInt64
    let writes, writtenBytes, writeMilliseconds: UInt64
    let inFlight, busyMilliseconds: UInt64

    init?(_ scanner: inout ByteScanner) {
        var fields: [UInt64] = []
        while fields.count < 11, let field = scanner.number() { fields.append(field) }
        guard fields.count == 11 else { return nil }
        (reads, readBytes, readMilliseconds) = (fields[0], fields[2] &* 512, fields[3])
        (writes, writtenBytes, writeMilliseconds) = (fields[4], fields[6] &* 512, fields[7])
        (inFlight, busyMilliseconds) = (fields[8], fields[9])
    }

    var json: JSONObject {
        func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }
        return [
            "reads": number(reads), "read_bytes": number(readBytes), "read_ms": number(readMilliseconds),
            "writes": number(writes), "written_bytes": number(writtenBytes), "write_ms": number(writeMilliseconds),
            "in_flight": number(inFlight), "busy_ms": number(busyMilliseconds),
            "read_wait_ms": reads > 0 ? .number(Double(readMilliseconds) / Double(reads)) : nil,
            "write_wait_ms": writes > 0 ? .number(Double(writeMilliseconds) / Double(writes)) : nil,
        ]
    }
}
