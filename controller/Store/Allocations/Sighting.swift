import Model
import SQL
import WireProtocol

/// A value that something on a node has, whoever made it: what a node shows is taken.
struct Sighting: Hashable {
    let kind: String
    let value: String
    /// Whose thing it is, where it bears a mark of ours.
    let service: String?

    /// What the state of a resource shows to be taken.
    static func of(_ driver: String, _ state: JSONObject) -> Set<Sighting> {
        let service = (state["owner"] ?? state["service"])?.asString
        func sightings(_ kind: String, _ values: [String?]) -> [Sighting] {
            values.compactMap { $0 }.map { Sighting(kind: kind, value: $0, service: service) }
        }
        let cards = (state["networks"]?.asArray ?? []).prefix(64)
        var all = sightings("ip", cards.flatMap { [address($0["ip"]), address($0["ip6"])] })
        all += sightings("mac", cards.map { $0["mac"]?.asString.flatMap { MACAddress($0) }?.description })
        if driver == "proxmox" { all += sightings("vmid", [state["vmid"]?.asInteger.map { "\($0)" }]) }
        return Set(all)
    }

    /// Of `192.0.2.1/24`; nil for `dhcp` and the like.
    private static func address(_ value: JSONValue?) -> String? {
        value?.asString?.split(separator: "/").first.flatMap { IPAddress($0) }?.description
    }
}

extension Store {
    /// Writes down what a resource shows, in the transaction of the report; nil when it is gone.
    func recordSightings(
        of resource: String, _ state: JSONObject?, driver: String, node: String
    ) throws(StoreError) {
        try run(
            "DELETE FROM sightings WHERE node = ? AND driver = ? AND resource = ?", [node, driver, resource])
        let sql = """
            INSERT INTO sightings (node, driver, kind, value, resource, service) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """
        for sighting in state.map({ Sighting.of(driver, $0) }) ?? [] {
            try run(sql, [node, driver, sighting.kind, sighting.value, resource, sighting.service])
        }
    }
}
