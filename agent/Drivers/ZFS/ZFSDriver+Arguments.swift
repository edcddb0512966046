import DriverKit
import Model
import WireProtocol

/// What the driver's actions take.
extension ZFSDriver {
    static let arguments: [String: [Argument]] = [
        "pool.list": [],
        "pool.status": [.pool],
        "pool.health": [],
        "pool.scrub": [
            .pool, .choice("action", ["start", "pause", "stop"], "what to do with the scrub").or("start"),
            .flag("wait", "answer when the scrub has ended"),
        ],
        "pool.events": [
            .pool.optional, .integer("tail", 0...1000, "how many of the past are told").or(100),
            .flag("follow", "go on telling until the command is cancelled"),
        ],
        "dataset.list": [.anyDataset("below which one; all without it").optional],
        "dataset.usage": [.anyDataset("which one")],
        "dataset.properties": [
            .anyDataset("which one"),
            .list("names", of: .text(.propertyName), 1...100, "which properties; all without it").optional,
        ],
        "dataset.ensure": [.dataset] + DatasetSpec.arguments,
        "dataset.quota": [
            .dataset, .integer("quota_bytes", 0...Int64.max, "bytes with snapshots and descendants; 0 lifts the quota"),
        ],
        "dataset.destroy": [.dataset, .flag("recursive", "with all that lies below it"), .owner],
        "dataset.mark": [.dataset, .markOfAdoption],
        "dataset.snapshot": [.dataset, .snapshot],
        "dataset.rollback": [
            .dataset, .snapshot, .flag("destroy_newer", "newer snapshots go, which are in the way otherwise"),
        ],
        "dataset.clone": [.dataset, .snapshot, .target] + DatasetSpec.arguments,
        "dataset.send": SendRequest.arguments,
        "send.estimate": SendRequest.arguments,
        "dataset.receive": [.dataset] + ReceiveRequest.arguments,
        "dataset.copy": SendRequest.arguments + [.target] + ReceiveRequest.arguments,
        "dataset.diff": [
            .dataset, .snapshot, .text("to_snapshot", .snapshotName, "the later one; now without it").optional,
        ],
        "receive.state": [.dataset],
        "receive.abort": [.dataset],
        "snapshot.list": [.anyDataset("whose"), .flag("recursive", "those of all below it as well")],
        "snapshot.destroy": [.dataset, .snapshot],
        "snapshot.usage": [
            .anyDataset("below which one; all without it").optional,
            .integer("limit", 1...1000, "how many datasets are told").or(100),
        ],
        "snapshot.hold": [.dataset, .snapshot, .tag],
        "snapshot.release": [.dataset, .snapshot, .tag],
        "snapshot.holds": [.dataset, .snapshot],
        "bookmark.ensure": [.dataset, .snapshot, .bookmark],
        "bookmark.list": [.anyDataset("whose")],
        "bookmark.destroy": [.dataset, .bookmark],
        "arc.statistics": [],
        "report.full": [],
        "report.suggestions": [],
    ]
}

extension Argument {
    static let pool = text("pool", .poolName, "which pool")
    static let dataset = text("dataset", .datasetBelowPool, "which dataset")
    static let target = text("target", .datasetBelowPool, "the dataset that comes of it")
    static let snapshot = text("snapshot", .snapshotName, "of the dataset, without @")
    static let bookmark = text("bookmark", .snapshotName, "of the dataset, without #")
    static let tag = text("tag", .snapshotName, "the name of the hold")
    static let owner = text("owner", .identifier, "whom it is for; another's is left alone").optional

    /// A dataset or a pool's root.
    static func anyDataset(_ help: String) -> Argument { text("dataset", .datasetName, help) }
}

extension TextForm {
    /// An action that changes something never works on a whole pool.
    static let datasetBelowPool = TextForm("a dataset below a pool: \(Grammar.datasetName.expectation)") {
        Grammar.datasetName.accepts($0) && $0.contains("/")
    }
    static let propertyName = TextForm("the name of a property") { ZFSDriver.isPropertyName($0) }
    static let compression = TextForm("1 to 16 lower-case letters, digits and -") { text in
        (1...16).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
            && !text.hasPrefix("-")
    }
    /// A token as `receive_resume_token` shows it.
    static let resumeToken = TextForm("a token of an interrupted receive: hexadecimal numbers between dashes") { text in
        let parts = text.utf8.split(separator: 0x2D, omittingEmptySubsequences: false)
        return parts.count == 4 && text.utf8.count <= 16384
            && parts.allSatisfy { part in
                !part.isEmpty && part.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
            }
    }
}

extension DatasetSpec {
    static let arguments: [Argument] = [
        .integer("quota_bytes", 0...Int64.max, "bytes with snapshots and descendants; 0 lifts the quota").optional,
        .text("mountpoint", .absolutePath, "where it is seen").optional, .owner,
        .record("properties", TunableProperty.arguments, "further properties").optional,
    ]
}

/// Properties that a call may set, with the values they may have. The others either decide where data is seen or run
/// something, and stay with the node's owner.
enum TunableProperty {
    static let arguments: [Argument] = [
        onOff("atime", "whether reading notes the time"), onOff("exec", "whether programs may be run"),
        onOff("readonly", "whether nothing can be written"),
        // With these a tenant's file, reached by any user of the node, makes that user root.
        .choice("setuid", ["off"], "programs do not run as their owner").optional,
        .choice("devices", ["off"], "device files do not work").optional,
        .integer("refquota", 0...Int64.max, "bytes without snapshots and descendants").optional,
        .integer("recordsize", 512...16 << 20, "bytes of a record, a power of two").optional,
        .choice("sync", ["standard", "always", "disabled"], "when writes are on disk").optional,
        .choice("logbias", ["latency", "throughput"], "what the log is for").optional,
        .choice("snapdir", ["hidden", "visible"], "whether .zfs is listed").optional,
        .text("compression", .compression, "off, or the algorithm").optional,
    ]

    private static func onOff(_ name: String, _ help: String) -> Argument {
        .choice(name, ["on", "off"], help).optional
    }

    /// The value as `zfs get -p` prints it.
    static func text(_ value: JSONValue, of name: String) throws(DriverError) -> String {
        guard let number = value.asInteger else { return value.asString ?? "" }
        if name == "recordsize", number.nonzeroBitCount != 1 {
            throw .invalidArgument("properties.recordsize", "must be a power of two")
        }
        return String(number)
    }
}

extension SendRequest {
    static let arguments: [Argument] = [
        .dataset, .snapshot.optional,
        .text("from_snapshot", .snapshotName, "what the receiver has already").optional,
        .text("from_bookmark", .snapshotName, "what the receiver has already, by its bookmark").optional,
        .flag("intermediates", "with the snapshots between from_snapshot and snapshot"),
        .text("resume_token", .resumeToken, "goes on with an interrupted stream; excludes all others").optional,
        .flag("raw", "as it is on disk, encrypted data included"), .flag("compressed", "as compressed as on disk"),
        .flag("large_blocks", "with records above 128 KiB"), .flag("embedded", "with embedded blocks as such"),
        .flag("properties", "with the properties"), .flag("replicate", "with all below it"),
    ]
}

extension ReceiveRequest {
    static let arguments: [Argument] = [
        .flag("overwrite", "what is there goes back to its latest snapshot, or gives way to a full stream"),
        .flag("keep_partial", "keep what came of a stream that breaks off").or(true),
        .flag("readonly", "nothing but streams can change it").or(true), .owner,
    ]
}
