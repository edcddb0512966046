import ControllerCore
import IntegrationKit
import Synchronization
import WireProtocol

/// Calls the remote API: one address, the method as the first word of the query, and 200 for whatever happens.
final class ISPConfigClient: Sendable {
    let settings: ISPConfigSettings
    let clock: ClockPort
    private let caller: ServiceCaller
    private let session: Session<String>

    init(_ settings: ISPConfigSettings, _ outside: IntegrationKind.Outside) {
        (self.settings, clock) = (settings, outside.clock)
        let budget = RateBudget(outside.name, limit: 300, window: .seconds(60), clock: outside.clock)
        let caller = ServiceCaller(outside, budget: budget)
        self.caller = caller
        session = Session(clock: outside.clock) { () throws(PortError) in try await Self.logIn(settings, caller) }
    }

    /// - Parameters: names as PHP has them; what is left out is null there, never the default.
    func call(
        _ method: String, _ parameters: JSONObject, changes: Bool = false
    ) async throws(PortError) -> JSONValue {
        let used = Mutex<String?>(nil)
        return try await caller.call(changes: changes) { () throws(PortError) in
            let id = try await self.session.value()
            used.withLock { $0 = id }
            var body = parameters
            body["session_id"] = .string(id)
            return self.settings.request(method, body)
        } renew: {
            if let id = used.withLock({ $0 }) { await self.session.end(id) }
        } judge: { reply in
            ISPConfigAnswer.judge(reply, method)
        }
    }

    private static func logIn(
        _ settings: ISPConfigSettings, _ caller: ServiceCaller
    ) async throws(PortError) -> (value: String, lasts: Duration) {
        let request = settings.request(
            "login",
            [
                "username": .string(settings.username), "password": .string(settings.password), "client_login": false,
            ])
        let answer = try await caller.call(changes: false) { () throws(PortError) in
            request
        } judge: { reply in
            ISPConfigAnswer.judge(reply, "login")
        }
        guard let id = answer.asString, !id.isEmpty else { throw PortError(.refused, "the log-in gave no session") }
        // It ends 1,800 seconds after the log-in, however much it is used.
        return (id, .seconds(1700))
    }
}

extension ISPConfigSettings {
    fileprivate func request(_ method: String, _ body: JSONObject) -> OutboundRequest {
        OutboundRequest(
            "POST", "\(url)?\(method)", headers: ["Content-Type": "application/json", "Accept": "application/json"],
            body: JSONValue.object(body).encoded, timeout: .seconds(60), authorities: authority)
    }
}

/// What an answer means. Its fault codes are lost on the way: only sentences are left, and some hold SQL with passwords in it.
enum ISPConfigAnswer {
    static func judge(_ reply: OutboundReply, _ method: String) -> Judgement<JSONValue> {
        let what = "\(method) at ISPConfig"
        guard (200..<300).contains(reply.status) else { return reply.judged(what) }
        guard let json = try? JSONParser.parse(reply.body, limits: .local), let code = json["code"]?.asString else {
            if String(decoding: reply.body.prefix(200), as: UTF8.self).contains("Remote API is disabled") {
                return .failed(PortError(.refused, "the remote API is switched off in ISPConfig's security settings"))
            }
            return .unclear(PortError(.silent, "\(what) was answered with what is no answer of the remote API"))
        }
        if code == "ok" { return .value(json["response"] ?? nil) }
        guard code == "remote_fault" else {
            return .failed(PortError(.refused, "\(what) is not understood there (\(code.quotable))"))
        }
        return fault(json["message"]?.asString ?? "", what)
    }

    private static func fault(_ message: String, _ what: String) -> Judgement<JSONValue> {
        func refused(_ text: String) -> Judgement<JSONValue> { .failed(PortError(.refused, "\(what): \(text)")) }
        if message.contains("Session is expired") || message.contains("SessionID is empty") {
            return .expired(PortError(.refused, "\(what): the session is not taken, though it is new"))
        }
        if message.contains("under maintenance") {
            return .busy(PortError(.busy, "\(what): the panel is under maintenance"), after: .seconds(30))
        }
        if message.contains("login failed") { return refused("user name or password are wrong") }
        if message.contains("login is not allowed") { return refused("the panel takes no log-in from this address") }
        if message.contains("permissions to access") {
            return refused("the remote user may not do this; its function groups are set in the panel")
        }
        if message.contains("_unique") {
            return .failed(PortError(.conflict, "\(what): there is one already (\(keys(in: message)))"))
        }
        let known = keys(in: message)
        return refused(known.isEmpty ? "refused, for a reason that may hold secrets and is not repeated" : known)
    }

    /// The names of rules that a form has refused something by: `domain_error_regex<br>`. Any other text gives nothing.
    private static func keys(in message: String) -> String {
        let words = message.replacing("<br />", with: " ").replacing("<br>", with: " ").split {
            $0 == " " || $0 == "\n"
        }
        let isKey: (Substring) -> Bool = { word in
            word.contains("_") && word.utf8.count <= 64
                && word.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
        }
        return !words.isEmpty && words.count <= 20 && words.allSatisfy(isKey) ? words.joined(separator: ", ") : ""
    }
}
