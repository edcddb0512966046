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
    func words(_ known: ReceiveOptions, _ header: StreamHeader) -> [String] {
        var words = ["receive"]
        if known.leavesUnmounted { words.append("-u") }
        if known.keepsPartial, keepsPartial { words.append("-s") }
        if overwrites { words.append("-F") }
        if known.setsProperties {
            if !header.isVolume || header.isPackage {
                // What comes from elsewhere does not decide where it is seen, nor who else sees it.
                for name in ["mountpoint", "sharenfs", "sharesmb"] { words += ["-x", name] }
                for bound in ["setuid=off", "devices=off"] { words += ["-o", bound] }
            }
            if isReadOnly { words += ["-o", "readonly=on"] }
        }
        return words + ["--", target]
    }

    /// What is set afterwards where `receive` itself cannot.
    var laterSettings: [(name: String, value: String)] {
        [("setuid", "off"), ("devices", "off")] + (isReadOnly ? [("readonly", "on")] : [])
    }
}

/// What `zfs receive` of this node can do: asked of the tool, with an empty stream and without effect.
struct ReceiveOptions: Sendable, Hashable {
    var leavesUnmounted: Bool
    var keepsPartial: Bool
    var setsProperties: Bool
}
