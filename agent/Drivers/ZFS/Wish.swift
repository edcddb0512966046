import DriverKit
import Model
import WireProtocol

/// A dataset as a call asks for it.
struct DatasetWish {
    let dataset: String
    /// Bytes with snapshots and descendants; 0 lifts the quota, `nil` leaves it.
    let quota: Int64?
    let mountpoint: String?
    /// Whom it is for; a dataset that is marked for somebody else is left alone.
    let owner: String?
    /// Further properties by name, with the values as `zfs get -p` prints them.
    let properties: [(name: String, value: String)]

    /// The bounds that a dataset for tenants gets unless the call says otherwise.
    static let tenantBounds = [("setuid", "off"), ("devices", "off")]

    /// - Parameter key: the argument that names the dataset.
    init(_ reader: inout ArgumentReader, dataset key: String) throws(DriverError) {
        dataset = try reader.dataset(key)
        quota = try reader.optionalInteger("quota_bytes", in: 0...Int64.max)
        mountpoint = try reader.optionalName("mountpoint", .absolutePath)
        owner = try reader.optionalName("owner", .identifier)
        properties = try (reader.object("properties") ?? [:]).members.map {
            member throws(DriverError) in
            (member.key, try TunableProperty.value(member.value, of: member.key))
        }
    }

    /// What is to be set, as `zfs get -p` will print it; quota first, because what it refuses is refused for good.
    var settings: [(name: String, value: String)] {
        let quota = quota.map { [("quota", String($0))] } ?? []
        let mountpoint = mountpoint.map { [("mountpoint", $0)] } ?? []
        let owner = owner.map { [(ZFSObject.ownerProperty, $0)] } ?? []
        return quota + mountpoint + owner + properties
    }

    /// `-o name=value` for each setting of a new dataset, tenant bounds included.
    var creationOptions: [String] {
        let asked = Set(properties.map(\.name))
        let bounds = Self.tenantBounds.filter { !asked.contains($0.0) }
        return (bounds + settings.map { ($0.name, $0.value) }).flatMap { name, value in
            ["-o", name == "quota" && value == "0" ? "quota=none" : "\(name)=\(value)"]
        }
    }

    /// The settings that the dataset does not have; one that is only inherited counts as had.
    func missing(in found: ZFSObject) -> [(name: String, value: String)] {
        settings.filter { name, value in
            if name == ZFSObject.ownerProperty { return found.owner != value }
            return found.properties[name]?.value != value
        }
    }

    /// The first setting that the dataset does not have although it was set.
    ///
    /// Where the old tools print `temporary`, they print what the mount table says instead of what is stored.
    func refused(by found: ZFSObject) -> (name: String, value: String)? {
        missing(in: found).first { found.properties[$0.name]?.source != "temporary" }
    }

    /// What bears no mark is nobody's to take: a dataset that was made for the owner has had it from the beginning.
    func checkOwner(of found: ZFSObject) throws(DriverError) {
        guard let owner, found.owner != owner else { return }
        if let other = found.owner { throw DriverError(.conflict, "dataset \(dataset) belongs to \(other)") }
        throw DriverError(
            .conflict, "dataset \(dataset) is there and bears no mark of \(owner)",
            cause: "zfs set \(ZFSObject.ownerProperty)=\(owner) \(dataset), on the node, gives it to \(owner)")
    }
}

/// Properties that a call may set, with the values they may have. The others either decide where data is seen or run
/// something, and stay with the node's owner.
enum TunableProperty {
    static func value(_ value: JSONValue, of name: String) throws(DriverError) -> String {
        guard let check = checks[name] else {
            throw .invalidArgument("properties.\(name)", "is not a property that can be set")
        }
        let text: String? =
            switch value {
            case .bool(let flag): flag ? "on" : "off"
            case .integer(let number): String(number)
            case .string(let text): text
            default: nil
            }
        guard let text, check(text) else {
            throw .invalidArgument("properties.\(name)", "has a value that is not allowed")
        }
        return text
    }

    private static let onOff: @Sendable (String) -> Bool = { $0 == "on" || $0 == "off" }
    private static let size: @Sendable (String) -> Bool = { text in Int64(text).map { $0 >= 0 } ?? false }

    private static let checks: [String: @Sendable (String) -> Bool] = [
        "atime": onOff, "exec": onOff, "readonly": onOff,
        // With these a tenant's file, reached by any user of the node, makes that user root.
        "setuid": { $0 == "off" }, "devices": { $0 == "off" },
        "refquota": size,
        "recordsize": { text in Int64(text).map { (512...(16 << 20)).contains($0) && $0.nonzeroBitCount == 1 } ?? false
        },
        "sync": { ["standard", "always", "disabled"].contains($0) },
        "logbias": { ["latency", "throughput"].contains($0) },
        "snapdir": { ["hidden", "visible"].contains($0) },
        "compression": { text in
            (1...16).contains(text.utf8.count)
                && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
                && !text.hasPrefix("-")
        },
    ]
}

extension ArgumentReader {
    /// The name of a dataset below a pool: an action never works on a whole pool.
    mutating func dataset(_ key: String) throws(DriverError) -> String {
        let name = try name(key, .datasetName)
        guard name.contains("/") else { throw .invalidArgument(key, "names a whole pool: \(name)") }
        return name
    }
}

extension ActionCall {
    /// Refuses a call whose lane is not the one of the dataset that it would change.
    func concerns(_ dataset: String) throws(DriverError) {
        guard resource == "zfs/\(dataset)" else {
            throw DriverError(.invalidArgument, "dataset \(dataset) is not what the call's resource \(resource) names")
        }
    }
}
