import ControllerCore
import Model
import Saga
import Store
import WireProtocol

/// Where a site is, and what it is called there.
struct PanelPlace: StepOutput, Hashable {
    var node: String
    var domain: String
    /// Its account on the node.
    var user: String
    /// Where the customer's own program listens, for sites that have one.
    var port: Int64?
    /// Under which the world reaches the server, where somebody has said so; told when the site is made.
    var addresses: [String] = []

    init(node: String, domain: String, user: String, port: Int64?) {
        (self.node, self.domain, self.user, self.port) = (node, domain, user, port)
    }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (node, domain) = (try object.string("node"), try object.string("domain"))
        (user, port) = (try object.string("user"), try object.optionalInteger("port"))
        addresses = try object.optionalStrings("addresses", limit: 64) ?? []
    }

    var json: JSONValue {
        var json: JSONObject = ["node": .string(node), "domain": .string(domain), "user": .string(user)]
        json["port"] = port.map { .integer($0) }
        if !addresses.isEmpty { json["addresses"] = .array(addresses.map { .string($0) }) }
        return .object(json)
    }

    /// For its node's agent.
    var resource: String { Self.resource(domain) }
    static func resource(_ domain: String) -> String { "cloudpanel/site/\(domain)" }

    /// What is allocated: the site by its domain; its account and its port are unique on one node.
    static let (siteKind, userKind, portKind) = ("site", "site-user", "site-port")
    /// Of the allocation that keeps the domain from customers' own domains.
    static let domainSlot = "site"
    /// Ports that nobody has fixed.
    static let freePorts: ClosedRange<Int64> = 21_000...24_999
}

extension PanelPlace {
    /// Read from what is allocated and reserved, which are made and released together.
    init?(_ held: [AllocationRecord], _ reservation: Reservation?) {
        guard let reservation, let domain = held.first(where: { $0.kind == Self.siteKind })?.value,
            let user = held.first(where: { $0.kind == Self.userKind && $0.scope == reservation.node })?.value
        else { return nil }
        let port = held.first { $0.kind == Self.portKind && $0.scope == reservation.node }
        self.init(node: reservation.node, domain: domain, user: user, port: port.flatMap { Int64($0.value) })
    }
}

/// Accounts of sites.
enum SiteUser {
    static let longest = 32

    /// `user_` and the domain's letters and digits.
    static func plain(_ domain: String) -> String {
        let letters = domain.lowercased().utf8.filter {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0)
        }
        return String(("user_" + String(decoding: letters, as: UTF8.self)).prefix(longest))
    }

    /// To try, the plain one first, the others with a suffix.
    static func candidates(_ domain: String, suffixes: [String]) -> [String] {
        let plain = plain(domain)
        return [plain] + suffixes.map { "\(plain.prefix(longest - $0.utf8.count))\($0)" }
    }
}

extension Store {
    func panelSite(of service: String) throws(StoreError) -> PanelPlace? {
        PanelPlace(try allocations(service: service), try reservation(service: service))
    }

    /// Why nobody can have the site's domain; nil when it is free or the service's.
    func objection(toSite domain: String, of service: String, _ suffixes: PublicSuffixes) throws(StoreError) -> String?
    {
        let names = (site: domain, own: DomainRecord.normal(domain) ?? domain)
        guard !suffixes.contains(domain) else { return "\(domain) is nobody's own: many register below it" }
        for zone in try subdomainZones() where domain == zone || domain.hasSuffix(".\(zone)") {
            return "\(domain) is below \(zone), where other services get their names"
        }
        for (kind, value) in [(PanelPlace.siteKind, names.site), (DomainRecord.kind, names.own)] {
            let filter = AllocationFilter(kind: kind, scope: "", value: value)
            let holders = try allocations(filter, page: PageRequest(limit: 2)).items
            if holders.contains(where: { $0.service != service }) { return "the domain \(domain) is in use already" }
        }
        return nil
    }

    /// Domain, account and port, in the transaction that chose the node. Throws `exhausted` where one is another's.
    func takePanelSite(
        _ domain: String, users: [String], on node: String, for scope: PanelScope, at time: Timestamp
    ) throws(StoreError) -> PanelPlace {
        let service = scope.service
        try reserve(
            Reservation(
                service: service.id, node: node, pool: nil, cpuMillis: 0, memoryBytes: 0, diskBytes: 0,
                createdAt: service.createdAt))
        _ = try take(PanelPlace.siteKind, scope: "", [domain], on: node, for: scope, at: time)
        // Two sites may be www and the name itself; to customers' domains they are one.
        let own = DomainRecord.normal(domain) ?? domain
        _ = try take(
            DomainRecord.kind, scope: "", [own], slot: PanelPlace.domainSlot, on: node, for: scope, at: time)
        return try takeAccount(domain, users: users, on: node, for: scope, at: time)
    }

    /// What is unique on one node.
    func takeAccount(
        _ domain: String, users: [String], on node: String, for scope: PanelScope, at time: Timestamp
    ) throws(StoreError) -> PanelPlace {
        let user = try take(PanelPlace.userKind, scope: node, users, slot: node, on: node, for: scope, at: time)
        var port: Int64?
        if scope.spec.sort.listens {
            let candidates = scope.spec.sort.port.map { ["\($0)"] } ?? PanelPlace.freePorts.map(String.init)
            port = Int64(
                try take(PanelPlace.portKind, scope: node, candidates, slot: node, on: node, for: scope, at: time).value
            )
        }
        return PanelPlace(node: node, domain: domain, user: user.value, port: port)
    }

    private func take(
        _ kind: String, scope place: String, _ candidates: [String], slot: String = "", on node: String,
        for scope: PanelScope, at time: Timestamp
    ) throws(StoreError) -> AllocationRecord {
        try allocate(
            AllocationRequest(
                kind: kind, scope: place, candidates: candidates, node: node, service: scope.service.id,
                operation: scope.operation.id, slot: slot), at: time)
    }
}
