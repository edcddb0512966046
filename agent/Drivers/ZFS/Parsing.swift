import DriverKit
import Model
import WireProtocol

/// One value of `zfs get`, with where it comes from: `local`, `default`, `inherited from X`, `-`…
struct ZFSProperty: Sendable, Hashable {
    let value: String
    let source: String

    var isLocal: Bool { source == "local" }
    /// The value as a number of bytes or a plain number; `none` is 0, as `-p` prints it for most limits.
    var number: Int64? { value == "none" ? 0 : Int64(value) }
}

/// A file system, volume or snapshot with the properties that were asked for.
struct ZFSObject: Sendable, Hashable {
    let name: String
    private(set) var properties: [String: ZFSProperty] = [:]

    /// The value of a property; `nil` where ZFS prints `-` or was not asked.
    func text(_ property: String) -> String? {
        properties[property].flatMap { $0.value == "-" ? nil : $0.value }
    }

    func number(_ property: String) -> Int64? { properties[property]?.number }

    /// The objects in the output of `zfs get -Hp -o name,property,value,source`, in the order of their first lines.
    ///
    /// Lines that are not four columns are parts of values with line breaks, which only foreign user properties have. What is
    /// told twice, and not alike, is not known: such a value may look like a line of its own.
    static func parse(_ text: String) -> [ZFSObject] {
        var objects: [ZFSObject] = []
        var places: [Substring: Int] = [:]
        for line in text.split(separator: "\n") {
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard columns.count == 4, !columns[0].isEmpty else { continue }
            let place = places[columns[0]] ?? objects.count
            if place == objects.count {
                places[columns[0]] = place
                objects.append(ZFSObject(name: String(columns[0])))
            }
            objects[place].take(
                String(columns[1]), ZFSProperty(value: String(columns[2]), source: String(columns[3])))
        }
        return objects
    }

    private mutating func take(_ name: String, _ property: ZFSProperty) {
        let isDoubtful = properties[name].map { $0 != property } ?? false
        properties[name] = isDoubtful ? ZFSProperty(value: "-", source: "-") : property
    }

    /// The objects in the output of `zfs get -j -p`, where no value can look like a line of its own.
    static func parse(json text: String) throws(JSONError) -> [ZFSObject] {
        guard let datasets = try JSONParser.parse(text, limits: .local)["datasets"]?.asObject else {
            throw JSONError(.empty, at: 0)
        }
        return datasets.members.map { member in
            var object = ZFSObject(name: member.value["name"]?.asString ?? member.key)
            for property in member.value["properties"]?.asObject?.members ?? [] {
                object.properties[property.key] = ZFSProperty(json: property.value)
            }
            return object
        }
    }
}

extension ZFSProperty {
    fileprivate init(json: JSONValue) {
        value = json["value"]?.asString ?? json["value"]?.asInteger.map(String.init) ?? "-"
        let data = json["source"]?["data"]?.asString ?? "-"
        source =
            switch json["source"]?["type"]?.asString ?? "NONE" {
            case "NONE": "-"
            case "INHERITED": "inherited from \(data)"
            case let type: type.lowercased()
            }
    }
}

/// A pool as `zpool list` tells of it. One that cannot be opened is there with its health and nothing else.
struct ZFSPool: Sendable, Hashable {
    static let columns = "name,size,allocated,free,capacity,health"

    let name: String
    let sizeBytes: Int64?
    let allocatedBytes: Int64?
    let freeBytes: Int64?
    let health: String
    /// Room for data, after redundancy and reservations; from the root dataset.
    var availableBytes: Int64?

    /// The pools in the output of `zpool list -H -o columns`, exact or rounded; a size that there is none of is `-`.
    static func parse(_ text: String) -> [ZFSPool] {
        text.split(separator: "\n").compactMap { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard columns.count == 6, !columns[0].isEmpty else { return nil }
            return ZFSPool(
                name: String(columns[0]), sizeBytes: ZFSSize.parse(columns[1]),
                allocatedBytes: ZFSSize.parse(columns[2]), freeBytes: ZFSSize.parse(columns[3]),
                health: String(columns[5]))
        }
    }

    var json: JSONObject {
        var object: JSONObject = ["name": .string(name), "health": .string(health)]
        object["size_bytes"] = sizeBytes.map { .integer($0) }
        object["allocated_bytes"] = allocatedBytes.map { .integer($0) }
        object["free_bytes"] = freeBytes.map { .integer($0) }
        object["available_bytes"] = availableBytes.map { .integer($0) }
        return object
    }
}

extension Int64 {
    /// Figures come from the output of a tool: a wild one must not end the agent.
    func multipliedSaturating(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? (signum() == factor.signum() ? .max : .min) : product
    }
}

/// Sizes as ZFS prints them: `1048576`, or rounded to three digits, `1.50G`.
enum ZFSSize {
    static func parse(_ text: some StringProtocol) -> Int64? {
        if let exact = Int64(text) { return exact >= 0 ? exact : nil }
        guard let last = text.last, let power = "KMGTPE".firstIndex(of: last), let number = Double(text.dropLast())
        else { return nil }
        let exponent = "KMGTPE".distance(from: "KMGTPE".startIndex, to: power) + 1
        let bytes = number * Double(1 << (10 * UInt64(exponent)))
        return bytes.isFinite && bytes >= 0 && bytes < 0x1p63 ? Int64(bytes) : nil
    }

    /// A member of the tool's JSON, which has numbers as texts or, where it was asked for them, as numbers.
    static func figure(_ value: JSONValue?) -> Int64? {
        value?.asInteger.flatMap { $0 >= 0 ? $0 : nil } ?? value?.asString.flatMap { parse($0) }
    }
}

extension ZFSObject {
    /// Properties that every version of ZFS knows and that tell what a dataset is.
    static let datasetProperties = [
        "type", "guid", "creation", "used", "available", "referenced", "quota", "mountpoint", "mounted", "canmount",
        "origin", ownerProperty, nonceProperty,
    ]
    static let usageProperties = [
        "used", "available", "referenced", "quota", "refquota", "usedbydataset", "usedbysnapshots", "usedbychildren",
        "usedbyrefreservation", "compressratio",
    ]
    static let snapshotProperties = ["guid", "creation", "used", "referenced"]
    /// Marks what this system made, with the owner's name. Counts only where it is local: descendants inherit it.
    static let ownerProperty = "innkeeper:owner"
    /// Tells one making of a dataset from another.
    static let nonceProperty = "innkeeper:nonce"

    var owner: String? {
        properties[Self.ownerProperty].flatMap { $0.isLocal ? $0.value : nil }
    }

    var mark: Mark? {
        let nonce = properties[Self.nonceProperty].flatMap { $0.isLocal ? $0.value : nil }
        return owner.map { Mark(service: $0, nonce: nonce) }
    }

    /// The dataset's name, and the snapshot's where this is one.
    var parts: (dataset: String, snapshot: String?) {
        let parts = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return (parts[0], parts.count > 1 ? parts[1] : nil)
    }

    /// What results and inventories say of a dataset or snapshot; absent values are left out.
    var json: JSONObject {
        var object: JSONObject = ["dataset": .string(parts.dataset)]
        object["snapshot"] = parts.snapshot.map { .string($0) }
        for key in ["type", "guid", "mountpoint", "origin", "compressratio"] {
            object[key] = text(key).map { .string($0) }
        }
        object["mounted"] = text("mounted").map { .bool($0 == "yes") }
        object["owner"] = owner.map { .string($0) }
        object["mark"] = mark?.json
        object["created"] = number("creation").map { .integer($0.multipliedSaturating(by: 1000)) }
        for (key, property) in Self.sizes { object[key] = number(property).map { .integer($0) } }
        return object
    }

    private static let sizes = [
        ("used_bytes", "used"), ("available_bytes", "available"), ("referenced_bytes", "referenced"),
        ("quota_bytes", "quota"), ("refquota_bytes", "refquota"), ("dataset_bytes", "usedbydataset"),
        ("snapshots_bytes", "usedbysnapshots"), ("children_bytes", "usedbychildren"),
    ]
}
