import Model

/// Why a node cannot take a service. A node may have several.
package enum Exclusion: Sendable, Hashable, CustomStringConvertible {
    case notConnected
    case cordoned
    case revoked
    case driverMissing(String)
    case labelMissing(key: String, value: String, found: String?)
    case cpu(wantedMillis: Int64, freeMillis: Int64)
    case memory(wanted: Int64, free: Int64)
    case poolMissing(String?)
    case disk(pool: String, wanted: Int64, free: Int64)
    case storageFloor(pool: String, wanted: Int64, free: Int64, floor: Int64)

    package var description: String {
        switch self {
        case .notConnected: "it is not connected"
        case .cordoned: "it is cordoned"
        case .revoked: "it is revoked"
        case .driverMissing(let driver): "it has no driver \(driver)"
        case .labelMissing(let key, let value, nil): "it has no label \(key)=\(value)"
        case .labelMissing(let key, let value, let found?): "its label is \(key)=\(found), wanted is \(key)=\(value)"
        case .cpu(let wanted, let free): "\(wanted) thousandths of a CPU wanted, \(free) free after reservations"
        case .memory(let wanted, let free): "\(size(wanted)) of memory wanted, \(size(free)) free after reservations"
        case .poolMissing(nil): "it has no storage pool"
        case .poolMissing(let pool?): "it has no storage pool \(pool)"
        case .disk(let pool, let wanted, let free):
            "\(size(wanted)) of disk wanted, \(size(free)) free after reservations on pool \(pool)"
        case .storageFloor(let pool, let wanted, let free, let floor):
            "\(size(wanted)) of disk wanted, pool \(pool) has \(size(free)) free and must keep \(size(floor))"
        }
    }

    private func size(_ bytes: Int64) -> String { ByteCount(bytes)?.rounded ?? "nothing" }
}
