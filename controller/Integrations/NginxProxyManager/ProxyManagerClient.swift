import ControllerCore
import IntegrationKit
import Model
import Synchronization
import WireProtocol

/// Calls the API: tokens of a day, and statuses that mean other things than they say.
final class ProxyManagerClient: Sendable {
    let settings: ProxyManagerSettings
    let clock: ClockPort
    /// certbot there works on one certificate at a time and fails a second one.
    let certbot: Turns
    private let caller: ServiceCaller
    private let longCaller: ServiceCaller
    private let session: Session<String>
    private let ownID = Mutex<Int64?>(nil)

    init(_ settings: ProxyManagerSettings, _ outside: IntegrationKind.Outside) {
        (self.settings, clock) = (settings, outside.clock)
        certbot = Turns(clock: outside.clock)
        let budget = RateBudget(outside.name, limit: 600, window: .seconds(60), clock: outside.clock)
        let caller = ServiceCaller(outside, budget: budget)
        var limits = ServiceCaller.Limits()
        (limits.attempts, limits.time) = (2, .seconds(1200))
        longCaller = ServiceCaller(outside, budget: budget, limits: limits)
        self.caller = caller
        session = Session(clock: outside.clock) { () throws(PortError) in try await Self.logIn(settings, caller) }
    }

    /// What the API gives for a call; null for a single thing that is not there.
    /// - Parameters:
    ///   - isList: whether there is always an answer, so that "not found" means that we may not look.
    ///   - timeout: for calls that wait for others.
    func call(
        _ method: String, _ path: String, _ what: String, body: JSONValue? = nil, isList: Bool = false,
        timeout: Duration = .seconds(30)
    ) async throws(PortError) -> JSONValue {
        let caller = timeout > .seconds(60) ? longCaller : caller
        let used = Mutex<String?>(nil)
        return try await caller.call(changes: method != "GET") { () throws(PortError) in
            let token = try await self.session.value()
            used.withLock { $0 = token }
            return self.settings.request(method, path, body, token: token, timeout: timeout)
        } renew: {
            if let token = used.withLock({ $0 }) { await self.session.end(token) }
        } judge: { reply in
            Self.judge(reply, what, isList: isList, changes: method != "GET")
        }
    }

    /// The next call logs in anew: a failure that may have been that of an old token is not taken for another one.
    func forgetSession() async {
        if let token = try? await session.value() { await session.end(token) }
    }

    static func judge(
        _ reply: OutboundReply, _ what: String, isList: Bool, changes: Bool
    ) -> Judgement<JSONValue> {
        let json = try? JSONParser.parse(reply.body, limits: .local)
        if (200..<300).contains(reply.status) {
            guard let json else {
                return .unclear(PortError(.silent, "\(what) was answered with what is no answer of the API"))
            }
            return .value(json)
        }
        let text = json?["error"]?["message"]?.asString ?? ""
        let message = "\(what) was answered with \(reply.status)\(text.isEmpty ? "" : ": \(text.quotable)")"
        switch reply.status {
        case 400 where text.contains("Token has expired"), 401: return .expired(PortError(.refused, message))
        case 400 where text.contains("already in use"): return .failed(PortError(.conflict, message))
        case 400 where text.hasPrefix("Host is already "): return .value(true)
        // Whoever may not see a list is told that there is none.
        case 404 where isList:
            return .expired(PortError(.refused, "\(message); the user may not see this"))
        case 404: return .value(nil)
        // Also of a token that another instance has signed. Whether a change was made is not known.
        case 500 where !changes: return .expired(PortError(.silent, message))
        case 500: return .unclear(PortError(.silent, message + ProxyManagerDebug.cause(json)))
        case 400, 403: return .failed(PortError(.refused, message))
        default: return reply.judged(what)
        }
    }

    /// Our user's number there: what it owns is ours.
    func user() async throws(PortError) -> Int64 {
        if let known = ownID.withLock({ $0 }) { return known }
        let me = try await call("GET", "/users/me", "the user", isList: true)
        guard let id = me["id"]?.asInteger else {
            throw PortError(.refused, "the API does not tell whose the token is")
        }
        ownID.withLock { $0 = id }
        return id
    }
}

extension ProxyManagerClient {
    /// - Returns: the token, and how long it is used: less than the day that it lasts.
    fileprivate static func logIn(
        _ settings: ProxyManagerSettings, _ caller: ServiceCaller
    ) async throws(PortError) -> (value: String, lasts: Duration) {
        // The body takes nothing else, least of all how long the token is to last.
        let body: JSONValue = ["identity": .string(settings.email), "secret": .string(settings.password)]
        let request = settings.request("POST", "/tokens", body, token: nil, timeout: .seconds(20))
        let answer = try await caller.call(changes: false) { () throws(PortError) in
            request
        } judge: { reply in
            judge(reply, "the log-in", isList: true, changes: false)
        }
        if let token = answer["token"]?.asString, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            return (token, .seconds(20 * 3600))
        }
        throw PortError(
            .refused,
            answer["requires_2fa"]?.asBool == true
                ? "the user needs a second factor; give Innkeeper a user without one" : "the log-in gave no token")
    }
}

extension ProxyManagerSettings {
    fileprivate func request(
        _ method: String, _ path: String, _ body: JSONValue?, token: String?, timeout: Duration
    ) -> OutboundRequest {
        var headers = ["Accept": "application/json"]
        if let token { headers["Authorization"] = "Bearer \(token)" }
        if body != nil { headers["Content-Type"] = "application/json" }
        return OutboundRequest(
            method, "\(url)/api\(path)", headers: headers, body: body?.encoded ?? [], timeout: timeout,
            authorities: authority)
    }
}

/// Why certbot failed, as far as it may be told on.
enum ProxyManagerDebug {
    static func cause(_ json: JSONValue?) -> String {
        let lines = (json?["debug"]?["stack"]?.asArray ?? []).compactMap(\.asString).flatMap {
            $0.split(separator: "\n")
        }
        let telling = lines.first { $0.contains("Detail:") || $0.contains("rateLimited") || $0.contains("too many") }
        return telling.map { ": \(String($0).quotable)" } ?? ""
    }
}
