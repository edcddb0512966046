import DriverKit
import Model
import WireProtocol

/// Where a stream is to go.
struct ReceiveRequest: Sendable {
    let target: String
    /// Roll the target back to its latest snapshot first, or put a full stream over what is there.
    let overwrites: Bool
    /// Keep what came of a stream that is broken off, where ZFS can.
    let keepsPartial: Bool
    let isReadOnly: Bool
    /// What a new dataset bears.
    let mark: Mark?

    init(
        _ reader: inout ArgumentReader, target key: String, mark given: Mark?, by command: String
    ) throws(DriverError) {
        target = try reader.string(key)
        overwrites = try reader.bool("overwrite")
        keepsPartial = try reader.bool("keep_partial")
        isReadOnly = try reader.bool("readonly")
        let owner = try reader.optionalString("owner")
        mark = (given ?? owner.map { Mark(service: $0) })?.made(by: command)
    }

    /// Words of the command; `known` are the options that this version of ZFS has.
    func words(_ known: ReceiveOptions, _ header: StreamHeader, isNew: Bool) -> [String] {
        var words = ["receive"]
        if known.leavesUnmounted { words.append("-u") }
        if known.keepsPartial, keepsPartial { words.append("-s") }
        if overwrites, !isNew { words.append("-F") }
        if known.setsProperties {
            if !header.isVolume || header.isPackage {
                // What comes from elsewhere does not decide where it is seen, nor who else sees it.
                for name in ["mountpoint", "sharenfs", "sharesmb"] { words += ["-x", name] }
                for bound in ["setuid=off", "devices=off"] { words += ["-o", bound] }
            }
            if isReadOnly { words += ["-o", "readonly=on"] }
            // With the dataset itself: one whose mark is still to come could be anybody's.
            for (name, value) in isNew ? mark?.settings ?? [] : [] { words += ["-o", "\(name)=\(value)"] }
        }
        return words + ["--", target]
    }

    /// What is set afterwards where `receive` itself cannot.
    func laterSettings(isNew: Bool) -> [(name: String, value: String)] {
        [("setuid", "off"), ("devices", "off")] + (isReadOnly ? [("readonly", "on")] : [])
            + (isNew ? mark?.settings ?? [] : [])
    }

    /// What bears no mark is nobody's to bring forward or to put something over, and is given none.
    func checkOwner(of found: ZFSObject) throws(DriverError) {
        guard let mark, found.owner != mark.service else { return }
        if let other = found.owner { throw DriverError(.foreign, "dataset \(target) belongs to \(other)") }
        throw DriverError(
            .foreign, "dataset \(target) is there and bears no mark of \(mark.service)",
            cause:
                "where an earlier receive was cut off before it could mark the dataset, remove that and receive again")
    }
}

/// What `zfs receive` of this node can do: asked of the tool, with an empty stream and without effect.
struct ReceiveOptions: Sendable, Hashable {
    var leavesUnmounted: Bool
    var keepsPartial: Bool
    var setsProperties: Bool
}
