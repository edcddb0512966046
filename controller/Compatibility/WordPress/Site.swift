import APIModels
import ControllerCore
import HTTP
import Model
import WireProtocol

/// What panels call a site: a text, or a whole number that is taken for one.
struct SiteNumber: Decodable, Sendable, Hashable {
    let text: String

    static let expectation = "1 to 100 letters, digits, -, _, . and :"

    init(_ text: String) throws(Problem) {
        guard Self.isGood(text) else {
            throw Problem(.invalidField, "service_id must be \(Self.expectation)", field: "service_id")
        }
        self.text = text
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int64.self) {
            text = String(number)
        } else {
            text = try container.decode(String.self)
        }
        guard Self.isGood(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "must be \(Self.expectation)")
        }
    }

    /// The name under which the core knows it.
    var externalID: String { "\(WordPressAPI.source):\(text)" }

    private static func isGood(_ text: String) -> Bool {
        (1...100).contains(text.utf8.count) && text.utf8.allSatisfy(isGood)
    }

    private static func isGood(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "-_.:".utf8.contains(byte)
    }
}

/// A site as it is now, as far as whoever asks may know of it.
struct Site: Sendable {
    let number: SiteNumber
    let service: Service
    /// What the product shows of it.
    let facts: JSONObject
    let domains: SiteDomains
    /// The oldest first.
    let backups: [BackupView]
    /// Under which the world reaches it.
    let publicAddress: String?

    var id: String { service.id }
    var host: String? { facts["host"]?.asString }
    var url: String? { facts["url"]?.asString }

    /// Of its container, where the books know better than the last look.
    var status: String {
        switch service.state {
        case "pending", "provisioning": "provisioning"
        case "running": ["stopped", "missing"].contains(service.drift) ? service.drift ?? "" : "running"
        case "terminating": "deleting"
        case "terminated": "deleted"
        default: service.state
        }
    }

    /// The answer of `/status`.
    var json: JSONObject {
        var json: JSONObject = [
            "service_id": .string(number.text), "vmid": facts["vmid"] ?? .null,
            "private_ip": facts["private_address"] ?? .null,
            "subdomain": host?.split(separator: ".").first.map { .string(String($0)) } ?? .null,
            "public_ip": publicAddress.map { .string($0) } ?? .null, "status": .string(status),
            "node": (service.nodeName ?? service.node).map { .string($0) } ?? .null,
            "resources": .object(SiteResources(service).json),
            "domains": .array(([host].compactMap(\.self) + domains.served).map { .string($0) }),
            "url": url.map { .string($0) } ?? .null, "plan": .string(service.plan),
            "custom_domains": .array(domains.all.map { .object($0.json) }),
        ]
        if let operation = service.operation, !operation.isFinished {
            json["operation"] = .object(Self.json(operation))
        }
        return json
    }

    static func json(_ operation: APIModels.Operation) -> JSONObject {
        ["id": .string(operation.id), "kind": .string(operation.kind), "state": .string(operation.state)]
    }
}

/// Figures in the words of this API.
private struct SiteResources {
    let service: Service

    init(_ service: Service) { self.service = service }

    /// What nobody has measured is null.
    var json: JSONObject {
        let metrics = service.metrics ?? [:]
        let (cores, memory) = (service.spec?["cores"]?.asInteger, service.spec?["memory_bytes"]?.asInteger)
        var json: JSONObject = ["cpu": .null, "memory": .null, "uptime": .null]
        if let used = metrics["cpu.seconds"], let cores, cores > 0 {
            let tenths = Int64((used / Double(cores) * 1000).rounded())
            json["cpu"] = .string("\(tenths / 10).\(tenths % 10)%")
        }
        if let memory {
            let used = metrics["memory.used"].map { "\(Int64($0) >> 20)MB" }
            json["memory"] = .string("\(used ?? "?") / \(memory >> 20)MB")
        }
        if let seconds = metrics["uptime"] { json["uptime"] = .string(Self.age(Int64(seconds))) }
        return json
    }

    private static func age(_ seconds: Int64) -> String {
        for (length, name) in [(86_400, "day"), (3600, "hour"), (60, "minute")] where seconds >= length {
            let count = seconds / Int64(length)
            return "\(count) \(name)\(count == 1 ? "" : "s")"
        }
        return "less than a minute"
    }
}

extension WordPressAPI {
    /// The site that panels call so. Another customer's, or a service of another product, is not there.
    func site(_ number: SiteNumber, _ call: APICall) async throws -> Site {
        let queries = queries(call)
        let found = try await queries.services(externalID: number.externalID).items.first
        guard let id = found?.id, found?.product == Self.product else {
            throw Problem(.notFound, "there is no site with service_id \(number.text)", field: "service_id")
        }
        let facts = try await queries.facts(of: id)
        var address = facts["addresses"]?.asArray?.first?.asString
        if address == nil { address = try await queries.proxyAddresses(of: facts["proxy"]?.asString).first }
        return Site(
            number: number, service: try await queries.service(named: id), facts: facts,
            domains: SiteDomains(try await queries.domains(of: id).items),
            backups: try await queries.backups(of: id).items, publicAddress: address)
    }

    /// The site of a query's `service_id`.
    func site(asked call: APICall) async throws -> Site {
        guard let text = call.query["service_id"] else {
            throw Problem(.invalidField, "service_id is missing", field: "service_id")
        }
        return try await site(SiteNumber(text), call)
    }
}
