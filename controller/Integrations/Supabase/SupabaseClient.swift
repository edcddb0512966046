import ControllerCore
import IntegrationKit
import WireProtocol

/// Calls the API: a table a path, filters as a query, one transaction a request.
final class SupabaseClient: Sendable {
    let settings: SupabaseSettings
    let clock: ClockPort
    private let caller: ServiceCaller

    init(_ settings: SupabaseSettings, _ outside: IntegrationKind.Outside) {
        (self.settings, clock) = (settings, outside.clock)
        let budget = RateBudget(outside.name, limit: 600, window: .seconds(60), clock: outside.clock)
        caller = ServiceCaller(outside, budget: budget)
    }

    /// - Parameters:
    ///   - path: a table, or empty for the description of all.
    ///   - fields: what a change writes. Without them the call only reads.
    ///   - what: was asked for, for people.
    func call(
        _ path: String, _ query: [(name: String, value: String)] = [], fields: JSONObject? = nil, _ what: String
    ) async throws(PortError) -> SupabaseAnswer {
        var headers = settings.key.headers
        // A secret key is not taken from what looks like a browser.
        headers["User-Agent"] = "innkeeper"
        headers["Accept"] = "application/json"
        headers[fields == nil ? "Accept-Profile" : "Content-Profile"] = settings.schema
        if fields != nil {
            headers["Content-Type"] = "application/json"
            // Without `strict` it would change any number of rows.
            headers["Prefer"] = "return=representation, handling=strict, max-affected=1"
        }
        let target = "\(settings.url)\(settings.path)/\(path)" + (query.isEmpty ? "" : "?\(query.percentEncoded)")
        let request = OutboundRequest(
            fields == nil ? "GET" : "PATCH", target, headers: headers,
            body: fields.map { JSONValue.object($0).encoded } ?? [], timeout: .seconds(30),
            authorities: settings.authority)
        return try await caller.call(changes: fields != nil) { () throws(PortError) in
            request
        } judge: { [schema = settings.schema] reply in
            SupabaseAnswer.judge(reply, what, schema: schema)
        }
    }
}

/// What the API gives.
enum SupabaseAnswer: Sendable, Hashable {
    case rows([JSONObject])
    /// A description of the tables.
    case object(JSONObject)
    /// Of a change that says no more than how many rows it was.
    case changed(Int)
    case noTable
}

extension SupabaseAnswer {
    static func judge(_ reply: OutboundReply, _ what: String, schema: String) -> Judgement<SupabaseAnswer> {
        let json = try? JSONParser.parse(reply.body, limits: .local)
        if (200..<300).contains(reply.status) {
            if let answer = good(reply, json) { return .value(answer) }
            return .unclear(PortError(.silent, "\(what) was answered with what is no answer of PostgREST"))
        }
        guard let code = json?["code"]?.asString, isCode(code) else { return bare(reply, what) }
        let text = json?["message"]?.asString ?? ""
        // Whoever raises an error of their own in a trigger may say anything in it.
        let isTold = ["PGRST", "22", "23", "42"].contains { code.hasPrefix($0) }
        let message = isTold && !text.isEmpty ? "\(what): \(text.quotable) (\(code))" : "\(what) failed with \(code)"
        return judge(code, reply, message, what, schema: schema)
    }

    private static func good(_ reply: OutboundReply, _ json: JSONValue?) -> SupabaseAnswer? {
        guard !reply.body.isEmpty else { return changed(reply.headers["content-range"]).map { .changed($0) } }
        if let object = json?.asObject { return .object(object) }
        guard let items = json?.asArray else { return nil }
        let rows = items.compactMap(\.asObject)
        return rows.count == items.count ? .rows(rows) : nil
    }

    /// Of a change: `0-4/*` are five rows, `*/*` is none.
    private static func changed(_ range: String?) -> Int? {
        guard let range = range?.split(separator: "/").first else { return nil }
        if range == "*" { return 0 }
        let ends = range.split(separator: "-").compactMap { Int($0) }
        return ends.count == 2 && ends[0] == 0 && ends[1] >= 0 ? ends[1] + 1 : nil
    }

    /// A SQLSTATE, or PostgREST's own.
    private static func isCode(_ code: String) -> Bool {
        (5...8).contains(code.utf8.count)
            && code.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }
    }

    private static func judge(
        _ code: String, _ reply: OutboundReply, _ message: String, _ what: String, schema: String
    ) -> Judgement<SupabaseAnswer> {
        switch code {
        case "PGRST205", "42P01": return .value(.noTable)
        case "PGRST106": return refused("\(what): the API does not expose the schema \(schema)")
        case "PGRST124": return refused("\(what): more than one row has this key, and none was changed")
        case "PGRST301", "PGRST302", "PGRST303":
            return refused("\(what): the service key is not taken, or has run out (\(code))")
        case "42501": return refused("\(what): the service key's role may not do this (\(code))")
        case "23505": return .failed(PortError(.conflict, message))
        // No connection was had, or the transaction was rolled back: nothing happened.
        case "PGRST000", "PGRST001", "PGRST002", "PGRST003", "40001", "40P01", "55P03", "57014":
            return .busy(PortError(.busy, message), after: reply.retryAfter)
        case _ where code.hasPrefix("53"): return .busy(PortError(.busy, message), after: reply.retryAfter)
        // The connection to the database broke: also while it committed.
        case _ where reply.status >= 500: return .unclear(PortError(.silent, message))
        case _ where [408, 425, 429].contains(reply.status):
            return .busy(PortError(.busy, message), after: reply.retryAfter)
        default: return refused(message)
        }
    }

    /// What a gateway says, or nobody.
    private static func bare(_ reply: OutboundReply, _ what: String) -> Judgement<SupabaseAnswer> {
        switch reply.status {
        case 401, 403:
            return refused(
                "\(what) was answered with \(reply.status): the service key is not taken; look whether it is a secret one and of this project"
            )
        case 404: return refused("\(what) was answered with 404: the address or the path of the API is wrong")
        case 502, 504: return .unclear(PortError(.silent, "\(what) was answered with \(reply.status)"))
        default: return reply.judged(what)
        }
    }

    private static func refused(_ message: String) -> Judgement<SupabaseAnswer> {
        .failed(PortError(.refused, message))
    }
}
