import ControllerCore
import Saga
import Store
import WireProtocol

/// Where a site lives, and what it is called.
struct SitePlace: StepOutput, Hashable {
    /// That its container was put on; the HA manager may have moved it since.
    var node: String
    /// The storage of the root disk, as Proxmox calls it.
    var storage: String
    var vmid: Int64
    /// The site's own name: `jane.sites.example.org`.
    var host: String

    init(node: String, storage: String, vmid: Int64, host: String) {
        (self.node, self.storage, self.vmid, self.host) = (node, storage, vmid, host)
    }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (node, storage) = (try object.string("node"), try object.string("storage"))
        (vmid, host) = (try object.integer("vmid"), try object.string("host"))
    }

    var json: JSONValue {
        ["node": .string(node), "storage": .string(storage), "vmid": .integer(vmid), "host": .string(host)]
    }

    /// Of the container, for its node's agent.
    var resource: String { Self.resource(vmid) }
    var url: String { "https://\(host)" }

    static func resource(_ vmid: Int64) -> String { "proxmox/ct/\(vmid)" }
    static let poolPrefix = "proxmox:"
}

extension SitePlace {
    /// Read from what is allocated and reserved, which are made and released together.
    init?(_ held: [AllocationRecord], _ reservation: Reservation?) {
        guard let reservation, let pool = reservation.pool, pool.hasPrefix(Self.poolPrefix),
            let vmid = held.first(where: { $0.kind == "vmid" }).flatMap({ Int64($0.value) }),
            let label = held.first(where: { $0.kind == "subdomain" && $0.slot == "label" })
        else { return nil }
        self.init(
            node: reservation.node, storage: String(pool.dropFirst(Self.poolPrefix.count)), vmid: vmid,
            host: "\(label.value).\(label.scope)")
    }
}

extension Store {
    func site(of service: String) throws(StoreError) -> SitePlace? {
        SitePlace(try allocations(service: service), try reservation(service: service))
    }
}

/// The container's network card.
struct SiteCard: StepOutput, Hashable {
    var bridge: String
    var vlan: Int64?
    var mtu: Int64?
    var mac: String
    /// With the length of the prefix.
    var addresses: [String]
    var gateways: [String]
    var resolvers: [String]

    init(_ attachment: NetworkAttachment) {
        (bridge, vlan, mtu, mac) = (attachment.interface, attachment.vlan, attachment.mtu, attachment.mac)
        (addresses, gateways, resolvers) = (attachment.addresses, attachment.gateways, attachment.resolvers)
    }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (bridge, mac) = (try object.string("bridge"), try object.string("mac"))
        (vlan, mtu) = (try object.optionalInteger("vlan"), try object.optionalInteger("mtu"))
        (addresses, gateways) = (try object.strings("addresses"), try object.strings("gateways"))
        resolvers = try object.strings("resolvers")
    }

    var json: JSONValue {
        var json: JSONObject = [
            "bridge": .string(bridge), "mac": .string(mac), "addresses": .array(addresses.map { .string($0) }),
            "gateways": .array(gateways.map { .string($0) }), "resolvers": .array(resolvers.map { .string($0) }),
        ]
        (json["vlan"], json["mtu"]) = (vlan.map { .integer($0) }, mtu.map { .integer($0) })
        return .object(json)
    }

    /// Where the proxy finds the site: the IPv4 address, else the other. Nil on a network where somebody else gives addresses.
    var target: String? { (first(of: .v4) ?? first(of: .v6)).map { String($0.prefix { $0 != "/" }) } }

    /// As the node's driver takes it.
    var argument: JSONValue {
        var card: JSONObject = ["name": "eth0", "bridge": .string(bridge), "mac": .string(mac)]
        if let ip = first(of: .v4) {
            card["ip"] = .string(ip)
            card["gateway"] = gateways.first { !$0.contains(":") }.map { .string($0) }
        }
        if let ip = first(of: .v6) {
            card["ip6"] = .string(ip)
            card["gateway6"] = gateways.first { $0.contains(":") }.map { .string($0) }
        }
        (card["vlan"], card["mtu"]) = (vlan.map { .integer($0) }, mtu.map { .integer($0) })
        return .object(card)
    }

    private enum Family { case v4, v6 }
    private func first(of family: Family) -> String? { addresses.first { $0.contains(":") == (family == .v6) } }
}
