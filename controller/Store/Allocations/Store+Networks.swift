package import Model
import SQL
package import WireProtocol

extension Store {
    /// Makes a network or replaces what it is. The same again changes nothing.
    package func putNetwork(
        _ name: String, spec: JSONObject, at time: Timestamp
    ) throws(StoreError) -> NetworkRecord {
        try transaction { () throws(StoreError) in
            let before = try network(name)
            if let before, before.spec == spec { return before }
            let network = NetworkRecord(
                name: name, spec: spec, createdAt: before?.createdAt ?? time, updatedAt: time)
            try upsert(network)
            return network
        }
    }

    package func network(_ name: String) throws(StoreError) -> NetworkRecord? {
        try first(NetworkRecord.self, "WHERE name = ?", [name])
    }

    /// All of them, by name. There are few: an operator writes each.
    package func networks() throws(StoreError) -> [NetworkRecord] {
        try select(NetworkRecord.self, "ORDER BY name")
    }

    package func networks(page request: PageRequest) throws(StoreError) -> Page<NetworkRecord> {
        try page(NetworkRecord.self, by: "name", Conditions(), request, cursor: \.name)
    }

    package func removeNetwork(_ name: String) throws(StoreError) {
        try transaction { () throws(StoreError) in _ = try run("DELETE FROM networks WHERE name = ?", [name]) }
    }

    /// Who holds addresses of a network, by scope and address.
    /// - Parameter place: the last of those before.
    package func holders(
        network name: String, after place: AllocationRecord? = nil, limit: Int
    ) throws(StoreError) -> [AllocationRecord] {
        // All scopes of a network lie between its name and what comes after a slash.
        let rest = """
            WHERE kind = 'ip' AND (scope = ? OR scope > ? AND scope < ?) AND (scope, value) > (?, ?)
                AND released_at IS NULL ORDER BY scope, value LIMIT ?
            """
        let scope = AllocationScope.network(name).text
        return try select(
            AllocationRecord.self, rest,
            [scope, "\(scope)/", "\(scope)0", place?.scope ?? "", place?.value ?? "", limit])
    }

    /// How many addresses of each network are held; networks without are absent.
    package func heldAddresses() throws(StoreError) -> [String: Int] {
        let sql = """
            SELECT scope, count(*) FROM allocations
            WHERE kind = 'ip' AND scope LIKE 'network/%' AND released_at IS NULL GROUP BY scope
            """
        let counts = try rows(sql) { (row) throws(SQLError) in (try row.text(), try row.int()) }
        return Dictionary(
            counts.map { (String($0.0.split(separator: "/")[1]), $0.1) }, uniquingKeysWith: +)
    }
}
