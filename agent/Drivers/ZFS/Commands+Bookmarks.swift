import DriverKit
import Model
import WireProtocol

/// Bookmarks: the identity of a snapshot, kept for incremental sends after the snapshot itself is gone.
extension ZFSDriver {
    private static let properties = ["guid", "creation", "createtxg"]

    func ensureBookmark(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let dataset = try reader.string("dataset")
        let snapshot = "\(dataset)@\(try reader.string("snapshot"))"
        let name = "\(dataset)#\(try reader.string("bookmark"))"
        try reader.finish()
        try call.concerns(dataset)
        try await requireBookmarks(of: dataset)
        let guid = try await look(snapshot, ["guid"])?.text("guid")
        if let found = try await look(name, Self.properties) {
            // The snapshot may be gone by now: that is what a bookmark is for.
            guard guid == nil || found.text("guid") == guid else {
                throw DriverError(.conflict, "bookmark \(name) is there and not of \(snapshot)")
            }
            return .seen(found.bookmark)
        }
        _ = try await require(snapshot, ["guid"])
        do {
            try await tools.actPatiently(["bookmark", "--", snapshot, name])
        } catch  where error.code == .conflict {}
        let found = try await require(name, Self.properties)
        guard found.text("guid") == guid else {
            throw DriverError(.conflict, "bookmark \(name) is there and not of \(snapshot)")
        }
        return ActionOutcome(changed: true, observed: found.bookmark)
    }

    func listBookmarks(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let dataset = try reader.string("dataset")
        try reader.finish()
        let text = try await tools.read(.zfs, ["list", "-H", "-t", "bookmark", "-o", "name", "-r", "--", dataset])
        let names = text.split(separator: "\n").map(String.init).filter { $0.hasPrefix("\(dataset)#") }
        let found = try await objects(names, Self.properties)
            .sorted { ($0.number("createtxg") ?? 0) < ($1.number("createtxg") ?? 0) }
        return .seen([
            "dataset": .string(dataset), "bookmarks": .array(found.map { .object($0.bookmark) }),
        ])
    }

    func destroyBookmark(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let dataset = try reader.string("dataset")
        let name = "\(dataset)#\(try reader.string("bookmark"))"
        try reader.finish()
        try call.concerns(dataset)
        let gone: JSONObject = [
            "dataset": .string(dataset), "bookmark": call.arguments["bookmark"] ?? nil, "present": false,
        ]
        guard try await look(dataset, ["guid"]) != nil else { return .seen(gone) }
        try await requireBookmarks(of: dataset)
        guard try await look(name, ["guid"]) != nil else { return .seen(gone) }
        try await destroy(["--", name])
        if try await look(name, ["guid"]) != nil {
            throw DriverError(.failed, "bookmark \(name) is there after its removal")
        }
        return ActionOutcome(changed: true, observed: gone)
    }

    /// Old tools take `#` for a mistake in a name; asked for the type, they say what they do not know.
    func requireBookmarks(of dataset: String) async throws(DriverError) {
        _ = try await tools.read(.zfs, ["list", "-H", "-t", "bookmark", "-o", "name", "--", dataset])
    }
}

extension ZFSObject {
    /// What results say of a bookmark.
    fileprivate var bookmark: JSONObject {
        let parts = name.split(separator: "#", maxSplits: 1).map(String.init)
        var object: JSONObject = ["dataset": .string(parts[0])]
        object["bookmark"] = parts.count > 1 ? .string(parts[1]) : nil
        object["guid"] = text("guid").map { .string($0) }
        object["created"] = number("creation").map { .integer($0.multipliedSaturating(by: 1000)) }
        return object
    }
}
