import Model
import WireProtocol

/// Everything a report looks at, taken in at one time; suggestions follow from it and nothing else.
struct Survey: Sendable {
    let pools: [ZFSPool]
    /// Per cent by pool, where ZFS tells it.
    let fragmentation: [String: Int64]
    let statuses: [PoolStatus]
    let datasets: [ZFSObject]
    let snapshots: [SnapshotUsage]
    let arc: ArcStatistics?
    let now: Timestamp

    static let properties = [
        "type", "used", "available", "quota", "compression", "compressratio", "atime", "dedup", "usedbydataset",
    ]
    static let newerProperties = ["relatime", "sync"]

    /// The datasets that use most by themselves.
    var largest: [ZFSObject] {
        Array(datasets.sorted { ($0.number("usedbydataset") ?? 0) > ($1.number("usedbydataset") ?? 0) }.prefix(20))
    }

    /// The gravest first.
    var suggestions: [Suggestion] {
        let all =
            pools.flatMap(suggestions) + statuses.flatMap(suggestions) + datasets.flatMap(suggestions)
            + snapshots.flatMap(suggestions) + cacheSuggestions
        return all.enumerated().sorted { ($0.element.weight, $0.offset) < ($1.element.weight, $1.offset) }.map(
            \.element)
    }

    private func suggestions(_ pool: ZFSPool) -> [Suggestion] {
        let subject = "zpool/\(pool.name)"
        var found: [Suggestion] = []
        let (size, allocated) = (pool.sizeBytes ?? 0, pool.allocatedBytes ?? 0)
        let percent = size > 0 ? min(100, Double(allocated) / Double(size) * 100) : 0
        if percent >= 90 {
            found.append(
                Suggestion(
                    .critical, subject, "pool_full",
                    "\(Int(percent)) % of the pool are in use: writes become slow and removals may fail",
                    "free space or add devices now"))
        } else if percent >= 80 {
            found.append(
                Suggestion(
                    .warning, subject, "pool_filling", "\(Int(percent)) % of the pool are in use",
                    "free space or add devices before 90 %"))
        }
        if let share = fragmentation[pool.name], share >= 50 {
            found.append(
                Suggestion(
                    .notice, subject, "fragmented", "\(share) % of the free space are in fragments",
                    "keep more of the pool free; sending datasets away and back orders them"))
        }
        return found
    }

    private func suggestions(_ status: PoolStatus) -> [Suggestion] {
        let subject = "zpool/\(status.name)"
        var found: [Suggestion] = []
        if status.state != "ONLINE" {
            found.append(
                Suggestion(
                    .critical, subject, "pool_unhealthy", "the pool is \(status.state)",
                    status.action ?? "replace the devices that are not ONLINE"))
        }
        if status.hasDataErrors {
            found.append(
                Suggestion(.critical, subject, "data_errors", status.errors, "restore the damaged files, then scrub"))
        }
        for device in status.troubled where device.depth > 0 {
            found.append(
                Suggestion(
                    .warning, subject, "device_errors",
                    "\(device.name) is \(device.state) with \(device.reads ?? 0) read, \(device.writes ?? 0) write and \(device.checksums ?? 0) checksum errors",
                    "look at its SMART health and cabling, replace it, or clear the counters"))
        }
        let unprotected = status.unprotected
        if !unprotected.isEmpty {
            let names = unprotected.prefix(8).map { $0.role == "data" ? $0.name : "\($0.name) (\($0.role))" }
            found.append(
                Suggestion(
                    .notice, subject, "no_redundancy",
                    "no mirror or parity has what lies on \(names.joined(separator: ", "))\(unprotected.count > 8 ? ", …" : "")",
                    "attach a second device to each, and keep backups elsewhere"))
        }
        if let words = status.status,
            words.contains("features") || words.contains("older on-disk") || words.contains("legacy on-disk")
        {
            found.append(
                Suggestion(.notice, subject, "upgradable", words, "zpool upgrade, once no older system needs the pool"))
        }
        return found + scrubSuggestions(status, subject)
    }

    /// A resilver of the whole pool hides the scrub before it: that is as old at least. One of a group hides nothing.
    private func scrubSuggestions(_ status: PoolStatus, _ subject: String) -> [Suggestion] {
        let lossy = status.scans.filter { $0.errors ?? 0 > 0 }.map { scan in
            Suggestion(
                .critical, subject, "scrub_errors",
                "the last \(scan.kind?.rawValue ?? "scan") found \(scan.errors ?? 0) errors that it could not repair",
                "restore what is damaged and replace the device")
        }
        if !lossy.isEmpty { return lossy }
        let whole = status.scans.first { $0.group == nil && $0.kind != .errorScrub }
        // An error scrub hides when the last scrub was.
        guard whole != nil || !status.scans.contains(where: { $0.kind == .errorScrub }) else { return [] }
        let scan = whole ?? PoolScan("")
        switch scan.state {
        case .none:
            return [
                Suggestion(.warning, subject, "never_scrubbed", "the pool was never scrubbed", "scrub it each month")
            ]
        case .paused, .cancelled:
            return [
                Suggestion(
                    .notice, subject, "scrub_unfinished",
                    "the last \(scan.kind?.rawValue ?? "scan") is \(scan.state.rawValue)",
                    "let one run to its end")
            ]
        case .finished:
            guard let days = scan.ended.map({ (now.milliseconds - $0) / 86_400_000 }),
                days > 35
            else { return [] }
            return [
                Suggestion(
                    .warning, subject, "scrub_old", "the last \(scan.kind?.rawValue ?? "scan") ended \(days) days ago",
                    "scrub it each month")
            ]
        case .running, .unknown: return []
        }
    }

    private func suggestions(_ dataset: ZFSObject) -> [Suggestion] {
        let subject = "zfs/\(dataset.name)"
        var found: [Suggestion] = []
        let own = dataset.number("usedbydataset") ?? 0
        if dataset.text("compression") == "off", own >= 1 << 30 {
            found.append(
                Suggestion(
                    .notice, subject, "no_compression", "\(own) bytes are stored without compression",
                    "compression=lz4 (old ZFS: on) costs next to nothing; it counts for what is written from then on"))
        }
        if dataset.text("dedup").map({ $0 != "off" }) == true, dataset.properties["dedup"]?.isLocal == true {
            found.append(
                Suggestion(
                    .warning, subject, "dedup", "deduplication is on: its table takes memory for every block",
                    "dedup=off unless the pool's dedup ratio is well above 2"))
        }
        if dataset.text("atime") == "on", dataset.text("relatime") != "on", own >= 1 << 30 {
            found.append(
                Suggestion(
                    .notice, subject, "atime", "each read writes the time of access",
                    "atime=off, or relatime=on where something needs it"))
        }
        if dataset.text("sync") == "disabled" {
            found.append(
                Suggestion(
                    .warning, subject, "sync_disabled", "what programs believe to be on disk is lost in a power cut",
                    "sync=standard"))
        }
        if let quota = dataset.number("quota"), quota > 0, let used = dataset.number("used"),
            Double(used) >= Double(quota) * 0.9
        {
            found.append(
                Suggestion(
                    .warning, subject, "quota_full", "\(used) of \(quota) bytes of the quota are in use",
                    "raise the quota or free space"))
        }
        return found
    }

    private func suggestions(_ usage: SnapshotUsage) -> [Suggestion] {
        let subject = "zfs/\(usage.dataset)"
        var found: [Suggestion] = []
        if usage.bytes >= 1 << 30, Double(usage.bytes) >= Double(usage.usedBytes) / 2 {
            found.append(
                Suggestion(
                    .warning, subject, "snapshots_large", "snapshots keep \(usage.bytes) of \(usage.usedBytes) bytes",
                    "remove old ones; the largest alone holds \(usage.largestBytes) bytes: \(usage.largest ?? "?")"))
        }
        if usage.count > 500 {
            found.append(
                Suggestion(
                    .notice, subject, "snapshots_many", "\(usage.count) snapshots make listing and removal slow",
                    "keep fewer of the old ones"))
        }
        let days = usage.oldest.map { (now.milliseconds / 1000 - max(0, $0)) / 86_400 } ?? 0
        if days > 365, usage.bytes > 0 {
            found.append(
                Suggestion(
                    .notice, subject, "snapshots_old", "the oldest snapshot is \(days) days old",
                    "remove it if no backup builds on it; a bookmark is enough for that"))
        }
        return found
    }

    private var cacheSuggestions: [Suggestion] {
        guard let arc, let ratio = arc.hitRatio, (arc["hits"] ?? 0) > 1_000_000, ratio < 0.8 else { return [] }
        let full = (arc["size"] ?? 0) >= (arc["c_max"] ?? .max) / 10 * 9
        return [
            Suggestion(
                .notice, "host", "arc_misses", "only \(Int(ratio * 100)) % of the reads are answered from memory",
                full
                    ? "give the cache more memory (zfs_arc_max)"
                    : "the cache is not full: the reads are of data seldom used twice")
        ]
    }
}

/// One thing that could be better, why, and what would help.
struct Suggestion: Sendable, Hashable {
    enum Severity: String, Sendable, Hashable, CaseIterable { case critical, warning, notice }

    let severity: Severity
    /// Resource name.
    let subject: String
    /// What it is, in one word for programs.
    let kind: String
    let finding: String
    let advice: String

    init(_ severity: Severity, _ subject: String, _ kind: String, _ finding: String, _ advice: String) {
        (self.severity, self.subject, self.kind, self.finding, self.advice) = (severity, subject, kind, finding, advice)
    }

    var weight: Int { Severity.allCases.firstIndex(of: severity) ?? 0 }

    var json: JSONObject {
        [
            "severity": .string(severity.rawValue), "resource": .string(subject), "kind": .string(kind),
            "finding": .string(finding), "advice": .string(advice),
        ]
    }
}
