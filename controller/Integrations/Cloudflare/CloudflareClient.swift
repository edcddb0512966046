import ControllerCore
import IntegrationKit
import Synchronization
import WireProtocol

/// Calls the API: an envelope around every answer, error codes, pages.
final class CloudflareClient: Sendable {
    /// A record as the zone has it.
    struct Found: Sendable, Hashable {
        var id: String
        var record: DNSRecord
        var comment: String
        var isProxied: Bool
    }

    let settings: CloudflareSettings
    private let caller: ServiceCaller
    private let knownZone = Mutex<String?>(nil)

    init(_ settings: CloudflareSettings, _ outside: IntegrationKind.Outside) {
        self.settings = settings
        // 1,200 in five minutes are of the whole account, its dashboard included: some are left to the others.
        let budget = RateBudget(outside.name, limit: 1100, window: .seconds(300), clock: outside.clock)
        caller = ServiceCaller(outside, budget: budget)
    }

    func call(
        _ method: String, _ path: String, _ what: String, body: JSONValue? = nil
    ) async throws(PortError) -> JSONValue {
        var headers = ["Authorization": "Bearer \(settings.token)", "Accept": "application/json"]
        if body != nil { headers["Content-Type"] = "application/json" }
        let request = OutboundRequest(
            method, settings.url + path, headers: headers, body: body?.encoded ?? [], timeout: .seconds(30),
            authorities: settings.authority)
        return try await caller.call(changes: method != "GET") { () throws(PortError) in
            request
        } judge: { reply in
            Self.judge(reply, what)
        }
    }

    /// The envelope decides together with the status; what the edge says in HTML is judged by the status alone.
    static func judge(_ reply: OutboundReply, _ what: String) -> Judgement<JSONValue> {
        guard let envelope = try? JSONParser.parse(reply.body, limits: .local),
            let success = envelope["success"]?.asBool
        else {
            guard (200..<300).contains(reply.status) else { return reply.judged(what) }
            return .unclear(PortError(.silent, "\(what) was answered with what is no answer of Cloudflare's API"))
        }
        if success, (200..<300).contains(reply.status) { return .value(envelope) }
        let problems = (envelope["errors"]?.asArray ?? []).prefix(5)
        let codes = problems.compactMap { $0["code"]?.asInteger }
        let text = problems.map { "\($0["message"]?.asString?.quotable ?? "") (\($0["code"]?.asInteger ?? 0))" }
        let message = "\(what) was answered with \(reply.status): \(text.joined(separator: ", "))"
        if reply.status == 429 || codes.contains(971) {
            return .busy(PortError(.busy, message), after: reply.retryAfter ?? .seconds(60))
        }
        if !codes.filter({ CloudflareCode.exists.contains($0) }).isEmpty {
            return .failed(PortError(.conflict, message))
        }
        if codes.contains(CloudflareCode.isGone) { return .value(["success": true, "result": nil]) }
        if [408, 503].contains(reply.status) {
            return .busy(PortError(.busy, message), after: reply.retryAfter)
        }
        return reply.status >= 500 ? .unclear(PortError(.silent, message)) : .failed(PortError(.refused, message))
    }

    /// The id of the zone, looked up once.
    func zone() async throws(PortError) -> String {
        if let known = knownZone.withLock({ $0 }) { return known }
        let found = try await call("GET", "/zones?name=\(settings.zone)&per_page=50", "zone \(settings.zone)")
        let exact = found["result"]?.asArray?.first { $0["name"]?.asString?.lowercased() == settings.zone }
        guard let exact, let id = exact["id"]?.asString, id.utf8.count == 32, id.utf8.allSatisfy({ $0.isHexDigit })
        else {
            throw PortError(
                .refused, "the token does not show the zone \(settings.zone); it needs Zone/Zone/Read for it")
        }
        guard exact["status"]?.asString == "active" else {
            let status = exact["status"]?.asString?.quotable ?? "unknown"
            throw PortError(
                .refused, "the zone \(settings.zone) is \(status) at Cloudflare, and only an active one answers")
        }
        knownZone.withLock { $0 = id }
        return id
    }

    /// All records of a name, of one type or of every.
    func records(_ host: String, _ type: DNSRecord.Kind? = nil) async throws(PortError) -> [Found] {
        try check(host)
        let zone = try await zone()
        var found: [Found] = []
        let kind = type.map { "&type=\($0.rawValue)" } ?? ""
        for page in 1...20 {
            let path = "/zones/\(zone)/dns_records?name.exact=\(host)\(kind)&per_page=100&page=\(page)"
            let answer = try await call("GET", path, "records of \(host)")
            let items = answer["result"]?.asArray ?? []
            found += items.compactMap { Found($0) }.filter { $0.record.host == host }
            guard !items.isEmpty, page < answer["result_info"]?["total_pages"]?.asInteger ?? 1 else { return found }
        }
        throw PortError(.refused, "\(host) has more than 2000 records")
    }

    private func check(_ host: String) throws(PortError) {
        guard HostName.isValid(host), HostName.lies(host, in: settings.zone) else {
            throw PortError(.refused, "\(host.quotable) is not in the zone \(settings.zone)")
        }
    }
}

enum CloudflareCode {
    /// "Record already exists", "an identical record already exists", A or AAAA beside CNAME.
    static let exists: Set<Int64> = [81053, 81054, 81057, 81058]
    /// "Record does not exist": what was to be removed is.
    static let isGone: Int64 = 81044
}

extension CloudflareClient.Found {
    /// Nil for what is of no type that we keep; such records stand beside ours or are told of by the API.
    fileprivate init?(_ json: JSONValue) {
        guard let id = json["id"]?.asString, id.utf8.count == 32, id.utf8.allSatisfy({ $0.isHexDigit }),
            let type = json["type"]?.asString.flatMap({ DNSRecord.Kind(rawValue: $0) }),
            let host = json["name"]?.asString, let content = json["content"]?.asString
        else { return nil }
        self.id = id
        record = DNSRecord(
            type: type, host: host.lowercased(), value: type.plain(content), ttl: json["ttl"]?.asInteger ?? 1)
        comment = json["comment"]?.asString ?? ""
        isProxied = json["proxied"]?.asBool ?? false
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool { (0x30...0x39).contains(self) || (0x61...0x66).contains(self | 0x20) }
}
