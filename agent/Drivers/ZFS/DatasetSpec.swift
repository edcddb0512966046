import DriverKit
import Model
import WireProtocol

/// A dataset as a call asks for it.
struct DatasetSpec {
    let dataset: String
    /// Bytes with snapshots and descendants; 0 lifts the quota, `nil` leaves it.
    let quota: Int64?
    let mountpoint: String?
    /// Whom it is for; a dataset that is marked for somebody else is left alone.
    let owner: String?
    /// What a new one bears.
    private let mark: Mark?
    /// Further properties by name, with the values as `zfs get -p` prints them.
    let properties: [(name: String, value: String)]

    /// The bounds that a dataset for tenants gets unless the call says otherwise.
    static let tenantBounds = [("setuid", "off"), ("devices", "off")]

    /// - Parameters:
    ///   - key: the argument that names the dataset.
    ///   - command: the command that makes it, where it is not there.
    init(
        _ reader: inout ArgumentReader, dataset key: String, mark given: Mark? = nil, by command: String = ""
    ) throws(DriverError) {
        dataset = try reader.string(key)
        quota = try reader.optionalInteger("quota_bytes")
        mountpoint = try reader.optionalString("mountpoint")
        let named = try reader.optionalString("owner")
        mark = (given ?? named.map { Mark(service: $0) })?.made(by: command)
        owner = mark?.service
        properties = try (reader.object("properties") ?? [:]).members.map {
            member throws(DriverError) in
            (member.key, try TunableProperty.text(member.value, of: member.key))
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
        let nonce = mark?.nonce.map { [(ZFSObject.nonceProperty, $0)] } ?? []
        return (bounds + settings.map { ($0.name, $0.value) } + nonce).flatMap { name, value in
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
        if let other = found.owner { throw DriverError(.foreign, "dataset \(dataset) belongs to \(other)") }
        throw DriverError(
            .foreign, "dataset \(dataset) is there and bears no mark of \(owner)",
            cause: "zfs set \(ZFSObject.ownerProperty)=\(owner) \(dataset), on the node, gives it to \(owner)")
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
