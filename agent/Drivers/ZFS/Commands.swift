import DriverKit
import Model
import WireProtocol

/// Looking: what is there, by the commands that old and new tools share.
extension ZFSDriver {
    func listPools(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        return .seen(["pools": .array(try await pools().map { .object($0.json) })])
    }

    func listDatasets(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let root = try reader.optionalString("dataset")
        try reader.finish()
        let found = try await datasets(below: root)
        return .seen(["datasets": .array(found.map { .object($0.json) })])
    }

    func tellUsage(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("dataset")
        try reader.finish()
        return .seen(try await require(name, ZFSObject.usageProperties).json)
    }

    func tellProperties(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("dataset")
        let wanted = try reader.strings("names") ?? ["all"]
        try reader.finish()
        let found = try await require(name, wanted)
        let properties = found.properties.sorted { $0.key < $1.key }.map { name, property in
            (name, JSONValue.object(["value": .string(property.value), "source": .string(property.source)]))
        }
        return .seen(["dataset": .string(name), "properties": .object(JSONObject(properties))])
    }

    /// Pools with the room that their root datasets tell.
    func pools() async throws(DriverError) -> [ZFSPool] {
        var pools: [ZFSPool]
        do {
            pools = ZFSPool.parse(try await tools.read(.zpool, ["list", "-H", "-p", "-o", ZFSPool.columns]))
        } catch  where error.code == .unsupported {
            pools = ZFSPool.parse(try await tools.read(.zpool, ["list", "-H", "-o", ZFSPool.columns]))
        }
        for place in pools.indices where pools[place].sizeBytes != nil {
            pools[place].availableBytes = try await room(of: pools[place])
        }
        return pools
    }

    /// A pool whose datasets cannot be read is told all the same: it is the one that most needs to be seen.
    private func room(of pool: ZFSPool) async throws(DriverError) -> Int64? {
        do {
            return try await look(pool.name, ["available"])?.number("available")
        } catch {
            if error.code == .cancelled || pool.health == "ONLINE" { throw error }
            return nil
        }
    }

    /// File systems and volumes: all, or one and what is below it.
    func datasets(below root: String? = nil) async throws(DriverError) -> [ZFSObject] {
        let scope = root.map { ["-r", "--", $0] } ?? []
        let names = try await tools.read(.zfs, ["list", "-H", "-t", "filesystem,volume", "-o", "name"] + scope)
        return try await objects(names.split(separator: "\n").map(String.init), ZFSObject.datasetProperties)
    }

    /// The named objects that are there, with the asked properties.
    func objects(_ names: [String], _ properties: [String]) async throws(DriverError) -> [ZFSObject] {
        var found: [ZFSObject] = []
        // Bounded command lines, however many datasets there are.
        for start in stride(from: 0, to: names.count, by: 200) {
            let some = names[start..<min(start + 200, names.count)]
            found +=
                speaksJSON
                ? try await remaining(some, properties)
                : ZFSObject.parse(try await tools.readRemaining(Self.get(properties) + some))
        }
        return found
    }

    /// Where one of several is gone, the tool prints no JSON at all: halves are asked again until it stands alone.
    private func remaining(
        _ names: ArraySlice<String>, _ properties: [String]
    ) async throws(DriverError) -> [ZFSObject] {
        do {
            return try await Self.objects(json: tools.read(.zfs, Self.getJSON(properties) + names))
        } catch  where error.code == .notFound {
            guard names.count > 1 else { return [] }
            let middle = names.startIndex + names.count / 2
            return try await remaining(names[..<middle], properties) + remaining(names[middle...], properties)
        }
    }

    private static func objects(json text: String) throws(DriverError) -> [ZFSObject] {
        do throws(JSONError) { return try ZFSObject.parse(json: text) } catch {
            throw DriverError(.failed, "what zfs printed is not the JSON that it should be", cause: error.description)
        }
    }

    /// One dataset or snapshot, or `nil` when it is not there.
    func look(
        _ name: String, _ properties: [String] = ZFSObject.datasetProperties
    ) async throws(DriverError) -> ZFSObject? {
        do {
            let found =
                speaksJSON
                ? try Self.objects(json: await tools.read(.zfs, Self.getJSON(properties) + [name]))
                : ZFSObject.parse(try await tools.read(.zfs, Self.get(properties) + [name]))
            return found.first { $0.name == name }
        } catch  where error.code == .notFound {
            return nil
        }
    }

    func require(
        _ name: String, _ properties: [String] = ZFSObject.datasetProperties
    ) async throws(DriverError) -> ZFSObject {
        guard let found = try await look(name, properties) else {
            throw DriverError(.notFound, "there is no \(name.contains("@") ? "snapshot" : "dataset") \(name)")
        }
        return found
    }

    private static func get(_ properties: [String]) -> [String] {
        ["get", "-H", "-p", "-o", "name,property,value,source", properties.joined(separator: ","), "--"]
    }

    private static func getJSON(_ properties: [String]) -> [String] {
        ["get", "-j", "-p", properties.joined(separator: ","), "--"]
    }

    static func isPropertyName(_ name: String) -> Bool {
        (1...256).contains(name.utf8.count) && !name.hasPrefix("-")
            && name.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || ":-._".utf8.contains($0)
            }
    }
}

extension ActionOutcome {
    /// The outcome of an action that only looks.
    static func seen(_ observed: JSONObject) -> ActionOutcome {
        ActionOutcome(changed: false, observed: observed)
    }
}
