import DriverKit
import Processes

/// What the messages of `zfs` and `zpool` mean. Their exit codes do not tell: an ordinary failure can be 1, 2 or 255.
enum ZFSFailure {
    /// The error for what a tool wrote before it failed.
    static func error(_ messages: String, _ exit: ProcessOutcome.Exit) -> DriverError {
        // Some ordinary failures are followed by a page of help.
        let lines = messages.split(separator: "\n").prefix { !$0.hasPrefix("usage:") }
        let said = lines.prefix(8).joined(separator: "; ")
        if case .signal(let number) = exit {
            // What it said before has nothing to do with its end.
            return DriverError(
                .failed, "ZFS was killed by signal \(number)", retryable: true, cause: said.beginning(600))
        }
        let cause = lines.isEmpty ? "ended with \(exit) and without a message" : said
        return rules.error(
            withoutQuotations(lines.joined(separator: "\n")), otherwise: "ZFS refused", cause: cause.beginning(600))
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

    /// In order: the first whose words occur decides.
    static let rules: [FailureRule] = [
        .init("make sure that the zfs-fuse daemon is running", .unavailable, "the ZFS daemon does not run"),
        .init("failed to initialize zfs library", .unavailable, "ZFS does not answer"),
        .init("zfs modules", .unavailable, "the ZFS kernel module is not loaded"),
        .init("/dev/zfs", .unavailable, "the ZFS kernel module does not answer"),
        .init("i/o is currently suspended", .unavailable, "the pool is suspended"),
        .init("invalid type", .unsupported, "this version of ZFS does not know that"),
        .init("must specify -f to overwrite", .conflict, "the destination is there already"),
        .init("must destroy them to overwrite", .conflict, "the destination has snapshots"),
        .init("has been modified", .conflict, "the destination was changed since its latest snapshot"),
        .init(
            "match incremental source", .conflict, "the destination's latest snapshot is not what the stream builds on"),
        .init("incremental source must be", .invalidArgument, "the two snapshots are not of one dataset"),
        .init("not an earlier snapshot", .conflict, "the snapshot to begin from is not the earlier one"),
        .init("incremental source", .notFound, "the snapshot that the stream builds on is not there"),
        .init("partially-complete state", .conflict, "an interrupted receive is kept there"),
        .init("any resumable receive state", .notFound, "there is no interrupted receive"),
        .init("used in the initial send no longer exists", .conflict, "what was being sent is not there any more"),
        .init("no longer the same snapshot", .conflict, "what was being sent is not the same any more"),
        .init("resume token", .invalidArgument, "ZFS does not take the token"),
        .init("checksum mismatch", .failed, "the stream came incomplete or damaged", retryable: true),
        .init("failed to read from stream", .failed, "the stream ended early", retryable: true),
        .init("partially received snapshot is saved", .failed, "the stream ended early", retryable: true),
        .init("invalid backup stream", .failed, "the stream came incomplete or damaged", retryable: true),
        .init("invalid stream", .failed, "the stream came incomplete or damaged", retryable: true),
        .init("(--large-block)", .conflict, "the series was begun with large blocks"),
        .init("iv set guid mismatch", .conflict, "raw and other streams do not go together"),
        .init("must be upgraded", .unsupported, "the stream needs a newer ZFS"),
        .init("bookmark exists", .conflict, "a bookmark of that name exists already"),
        .init("no such tag", .notFound, "there is no such hold"),
        .init("no active scrub", .notFound, "no scrub runs"),
        .init("currently scrubbing", .conflict, "a scrub runs already"),
        .init("currently error scrubbing", .busy, "an error scrub runs"),
        .init("error scrub is paused", .busy, "an error scrub is paused"),
        .init("currently sequentially resilvering", .busy, "the pool is being resilvered"),
        .init("currently resilvering", .busy, "the pool is being resilvered"),
        .init("parent does not exist", .notFound, "the parent dataset does not exist"),
        .init("no such pool", .notFound, "there is no such pool"),
        .init("could not find any snapshots", .notFound, "there is no such snapshot"),
        .init("dataset does not exist", .notFound, "there is no such dataset or snapshot"),
        .init("already exists", .conflict, "something of that name exists already"),
        .init("dependent clones", .conflict, "clones depend on it"),
        .init("snapshot is cloned", .conflict, "clones depend on it"),
        .init("filesystem has children", .conflict, "it has snapshots or datasets below it"),
        .init("more recent snapshots", .conflict, "there are newer snapshots"),
        .init("being held", .busy, "the snapshot is held"),
        .init("is busy", .busy, "it is in use"),
        .init("umount failed", .busy, "it is in use"),
        .init("less than current used", .conflict, "the quota is less than what is in use"),
        .init("directory is not empty", .conflict, "the mount point is not empty"),
        .init("out of space", .outOfSpace, "the pool or a quota is full"),
        .init("no space left", .outOfSpace, "the pool or a quota is full"),
        .init("quota exceeded", .outOfSpace, "a quota is full"),
        .init("permission denied", .permissionDenied, "not permitted"),
        .init("operation not permitted", .permissionDenied, "not permitted"),
        .init("must be superuser", .permissionDenied, "not permitted"),
        .init("read-only", .permissionDenied, "the pool or dataset is read-only"),
        .init("readonly", .permissionDenied, "the pool or dataset is read-only"),
        .init("invalid option", .unsupported, "this version of ZFS does not know that"),
        .init("unrecognized command", .unsupported, "this version of ZFS does not know that"),
        .init("does not support this operation", .unsupported, "the ZFS module is older than its tools"),
        .init("not supported", .unsupported, "this version of ZFS cannot do that"),
        .init("does not exist", .notFound, "there is no such dataset, snapshot or bookmark"),
        .init("signal received", .failed, "ZFS was interrupted", retryable: true),
        .init("bad numeric value", .invalidArgument, "ZFS does not take the value"),
        .init("bad property list", .invalidArgument, "ZFS does not know the property"),
        .init("invalid property", .invalidArgument, "ZFS does not take the property"),
        .init("must be one of", .invalidArgument, "ZFS does not take the value"),
        .init("cannot set property", .invalidArgument, "ZFS does not take the property"),
        .init("invalid", .invalidArgument, "ZFS does not take the name"),
        .init("name is too long", .invalidArgument, "the name is too long"),
        .init("empty component", .invalidArgument, "ZFS does not take the name"),
    ]
}
