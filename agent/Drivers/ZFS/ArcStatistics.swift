import DriverKit
import Glibc
import Model
import WireProtocol

/// The cache of ZFS in memory, as the kernel module tells of it.
struct ArcStatistics: Sendable, Hashable {
    static let path = "/proc/spl/kstat/zfs/arcstats"
    private let values: [String: Int64]

    /// The lines `name type value` below two lines of heading; nil when none can be read.
    init?(_ text: String) {
        var values: [String: Int64] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 3, let value = Int64(words[2]) { values[String(words[0])] = value }
        }
        guard values["size"] != nil else { return nil }
        self.values = values
    }

    subscript(name: String) -> Int64? { values[name] }

    /// Share of the reads that were answered from memory, since the module was loaded; 0...1.
    var hitRatio: Double? { Self.ratio(values["hits"], values["misses"]) }

    private static func ratio(_ hits: Int64?, _ misses: Int64?) -> Double? {
        guard let hits, let misses, hits >= 0, misses >= 0, hits > 0 || misses > 0 else { return nil }
        return Double(hits) / (Double(hits) + Double(misses))
    }

    private static let told = [
        ("size_bytes", "size"), ("target_bytes", "c"), ("minimum_bytes", "c_min"), ("maximum_bytes", "c_max"),
        ("hits", "hits"), ("misses", "misses"), ("demand_data_hits", "demand_data_hits"),
        ("demand_data_misses", "demand_data_misses"), ("prefetch_data_hits", "prefetch_data_hits"),
        ("prefetch_data_misses", "prefetch_data_misses"), ("mru_bytes", "mru_size"), ("mfu_bytes", "mfu_size"),
        ("metadata_bytes", "arc_meta_used"), ("memory_throttles", "memory_throttle_count"), ("l2_hits", "l2_hits"),
        ("l2_misses", "l2_misses"), ("l2_bytes", "l2_size"), ("l2_device_bytes", "l2_asize"),
    ]

    var json: JSONObject {
        var object: JSONObject = [:]
        for (key, name) in Self.told { object[key] = values[name].map { .integer($0) } }
        object["hit_ratio"] = hitRatio.map { .number($0) }
        object["l2_hit_ratio"] = Self.ratio(values["l2_hits"], values["l2_misses"]).map { .number($0) }
        return object
    }
}

extension ZFSDriver {
    func tellArc(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        guard let statistics = arcStatistics() else {
            throw DriverError(
                .unsupported, "this ZFS tells nothing of its cache", cause: "there is no \(ArcStatistics.path)")
        }
        return .seen(statistics.json)
    }

    /// Nil where the kernel has no such file, as with zfs-fuse.
    func arcStatistics() -> ArcStatistics? {
        let file = open(root + ArcStatistics.path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress! + count, $0.count - count) }
            if got <= 0 { break }
            count += got
        }
        return ArcStatistics(String(decoding: bytes[..<count], as: UTF8.self))
    }
}
