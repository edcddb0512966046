import DriverKit
import Processes

/// What the messages of `zfs` and `zpool` mean. Their exit codes do not tell: an ordinary failure can be 1, 2 or 255.
enum ZFSFailure {
    /// The error for what a tool wrote before it failed.
    static func error(_ messages: String, _ exit: ProcessOutcome.Exit) -> DriverError {
        // Some ordinary failures are followed by a page of help.
        let lines = messages.split(separator: "\n").prefix { !$0.hasPrefix("usage:") }
        let text = withoutQuotations(lines.joined(separator: "\n")).lowercased()
        let said = lines.prefix(8).joined(separator: "; ")
        if case .signal(let number) = exit {
            // What it said before has nothing to do with its end.
            return DriverError(
                .failed, "ZFS was killed by signal \(number)", retryable: true, cause: said.beginning(600))
        }
        let rule = rules.first { text.contains($0.words) }
        let cause = lines.isEmpty ? "ended with \(exit) and without a message" : said
        return DriverError(
            rule?.code ?? .failed, rule?.meaning ?? "ZFS refused", retryable: rule?.retryable,
            cause: cause.beginning(600))
    }

    /// The text less what stands between quotation marks: a dataset may be named like a message.
    static func withoutQuotations(_ text: String) -> String {
        var result = ""
        var isQuoted = false
        for character in text {
            let opens = character == "'" && !isQuoted && result.last.map { " \n(".contains($0) } ?? true
            if opens {
                isQuoted = true
            } else if isQuoted {
                isQuoted = character != "'" && character != "\n"
            } else {
                result.append(character)
            }
        }
        return result
    }

    struct Rule {
        let words: String
        let code: DriverErrorCode
        let meaning: String
        var retryable: Bool?

        init(_ words: String, _ code: DriverErrorCode, _ meaning: String, retryable: Bool? = nil) {
            self.words = words
            self.code = code
            self.meaning = meaning
            self.retryable = retryable
        }
    }

    /// In order: the first whose words occur decides.
    static let rules = [
        Rule("make sure that the zfs-fuse daemon is running", .unavailable, "the ZFS daemon does not run"),
        Rule("failed to initialize zfs library", .unavailable, "ZFS does not answer"),
        Rule("zfs modules", .unavailable, "the ZFS kernel module is not loaded"),
        Rule("/dev/zfs", .unavailable, "the ZFS kernel module does not answer"),
        Rule("i/o is currently suspended", .unavailable, "the pool is suspended"),
        Rule("invalid type", .unsupported, "this version of ZFS does not know that"),
        Rule("must specify -f to overwrite", .conflict, "the destination is there already"),
        Rule("must destroy them to overwrite", .conflict, "the destination has snapshots"),
        Rule("has been modified", .conflict, "the destination was changed since its latest snapshot"),
        Rule(
            "match incremental source", .conflict, "the destination's latest snapshot is not what the stream builds on"),
        Rule("incremental source must be", .invalidArgument, "the two snapshots are not of one dataset"),
        Rule("not an earlier snapshot", .conflict, "the snapshot to begin from is not the earlier one"),
        Rule("incremental source", .notFound, "the snapshot that the stream builds on is not there"),
        Rule("partially-complete state", .conflict, "an interrupted receive is kept there"),
        Rule("any resumable receive state", .notFound, "there is no interrupted receive"),
        Rule("used in the initial send no longer exists", .conflict, "what was being sent is not there any more"),
        Rule("no longer the same snapshot", .conflict, "what was being sent is not the same any more"),
        Rule("resume token", .invalidArgument, "ZFS does not take the token"),
        Rule("checksum mismatch", .failed, "the stream came incomplete or damaged", retryable: true),
        Rule("failed to read from stream", .failed, "the stream ended early", retryable: true),
        Rule("partially received snapshot is saved", .failed, "the stream ended early", retryable: true),
        Rule("invalid backup stream", .failed, "the stream came incomplete or damaged", retryable: true),
        Rule("invalid stream", .failed, "the stream came incomplete or damaged", retryable: true),
        Rule("(--large-block)", .conflict, "the series was begun with large blocks"),
        Rule("iv set guid mismatch", .conflict, "raw and other streams do not go together"),
        Rule("must be upgraded", .unsupported, "the stream needs a newer ZFS"),
        Rule("bookmark exists", .conflict, "a bookmark of that name exists already"),
        Rule("no such tag", .notFound, "there is no such hold"),
        Rule("no active scrub", .notFound, "no scrub runs"),
        Rule("currently scrubbing", .conflict, "a scrub runs already"),
        Rule("currently resilvering", .busy, "the pool is being resilvered"),
        Rule("parent does not exist", .notFound, "the parent dataset does not exist"),
        Rule("no such pool", .notFound, "there is no such pool"),
        Rule("could not find any snapshots", .notFound, "there is no such snapshot"),
        Rule("dataset does not exist", .notFound, "there is no such dataset or snapshot"),
        Rule("already exists", .conflict, "something of that name exists already"),
        Rule("dependent clones", .conflict, "clones depend on it"),
        Rule("snapshot is cloned", .conflict, "clones depend on it"),
        Rule("filesystem has children", .conflict, "it has snapshots or datasets below it"),
        Rule("more recent snapshots", .conflict, "there are newer snapshots"),
        Rule("being held", .busy, "the snapshot is held"),
        Rule("is busy", .busy, "it is in use"),
        Rule("umount failed", .busy, "it is in use"),
        Rule("less than current used", .conflict, "the quota is less than what is in use"),
        Rule("directory is not empty", .conflict, "the mount point is not empty"),
        Rule("out of space", .outOfSpace, "the pool or a quota is full"),
        Rule("no space left", .outOfSpace, "the pool or a quota is full"),
        Rule("quota exceeded", .outOfSpace, "a quota is full"),
        Rule("permission denied", .permissionDenied, "not permitted"),
        Rule("operation not permitted", .permissionDenied, "not permitted"),
        Rule("must be superuser", .permissionDenied, "not permitted"),
        Rule("read-only", .permissionDenied, "the pool or dataset is read-only"),
        Rule("readonly", .permissionDenied, "the pool or dataset is read-only"),
        Rule("invalid option", .unsupported, "this version of ZFS does not know that"),
        Rule("unrecognized command", .unsupported, "this version of ZFS does not know that"),
        Rule("does not support this operation", .unsupported, "the ZFS module is older than its tools"),
        Rule("not supported", .unsupported, "this version of ZFS cannot do that"),
        Rule("does not exist", .notFound, "there is no such dataset, snapshot or bookmark"),
        Rule("signal received", .failed, "ZFS was interrupted", retryable: true),
        Rule("bad numeric value", .invalidArgument, "ZFS does not take the value"),
        Rule("bad property list", .invalidArgument, "ZFS does not know the property"),
        Rule("invalid property", .invalidArgument, "ZFS does not take the property"),
        Rule("must be one of", .invalidArgument, "ZFS does not take the value"),
        Rule("cannot set property", .invalidArgument, "ZFS does not take the property"),
        Rule("invalid", .invalidArgument, "ZFS does not take the name"),
        Rule("name is too long", .invalidArgument, "the name is too long"),
        Rule("empty component", .invalidArgument, "ZFS does not take the name"),
    ]
}
