import Model

/// Why a node cannot take a service. A node may have several.
package enum Exclusion: Sendable, Hashable, CustomStringConvertible {
    case notConnected
    case cordoned
    case draining
    case notApproved
    case revoked
    case driverMissing(String)
    case labelMissing(key: String, value: String, found: String?)
    case cpu(wantedMillis: Int64, freeMillis: Int64)
    case memory(wanted: Int64, free: Int64)
    case poolMissing(String?)
    /// Of another kind than a ZFS pool: what is wanted, and its name where one is asked for.
    case storageMissing(String, name: String?)
    /// - Parameter state: what its node says of it: `SUSPENDED`.
    case poolFaulted(String, state: String)
    case networkMissing(String)
    case thingMissing(String)
    case templateMissing(String)
    case disk(pool: String, wanted: Int64, free: Int64)
    case storageFloor(pool: String, wanted: Int64, free: Int64, floor: Int64)

    package var description: String {
        switch self {
        case .notConnected: "it is not connected"
        case .cordoned: "it is cordoned"
        case .draining: "it is being drained"
        case .notApproved: "it is not approved"
        case .revoked: "it is revoked"
        case .driverMissing(let driver): "it has no driver \(driver)"
        case .labelMissing(let key, let value, nil): "it has no label \(key)=\(value)"
        case .labelMissing(let key, let value, let found?): "its label is \(key)=\(found), wanted is \(key)=\(value)"
        case .cpu(let wanted, let free): "\(Self.cores(wanted)) wanted, \(Self.cores(free)) free after reservations"
        case .memory(let wanted, let free):
            "\(Self.size(wanted)) of memory wanted, \(Self.size(free)) free after reservations"
        case .poolMissing(nil): "it has no storage pool"
        case .poolMissing(let pool?): "it has no storage pool \(pool)"
        case .storageMissing(let kind, nil): "it has no \(kind)"
        case .storageMissing(let kind, let name?): "it has no \(kind) \(name)"
        case .poolFaulted(let pool, let state): "its storage pool \(pool) is \(state.lowercased())"
        case .networkMissing(let name): "it has no network \(name)"
        case .thingMissing(let name): "it has no \(name)"
        case .templateMissing(let name): "it has no template \(name)"
        case .disk(let pool, let wanted, let free):
            "\(Self.size(wanted)) of disk wanted, \(Self.size(free)) free after reservations on pool \(pool)"
        case .storageFloor(let pool, let wanted, let free, let floor):
            "\(Self.size(wanted)) of disk wanted, pool \(pool) has \(Self.size(free)) free and must keep "
                + Self.size(floor)
        }
    }

    static func size(_ bytes: Int64) -> String { ByteCount(bytes)?.rounded ?? "nothing" }

    /// `0.25 cores`, `1 core`.
    static func cores(_ millis: Int64) -> String {
        var text = "\(millis / 1000)"
        if millis % 1000 != 0 {
            text += ".\(String(1000 + millis % 1000).dropFirst())"
            while text.last == "0" { text.removeLast() }
        }
        return text + (millis == 1000 ? " core" : " cores")
    }
}
