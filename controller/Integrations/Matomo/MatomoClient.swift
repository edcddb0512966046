import ControllerCore
import IntegrationKit
import WireProtocol

/// Calls the API: one address, everything in the form, and 200 for most of what goes wrong.
final class MatomoClient: Sendable {
    let settings: MatomoSettings
    private let caller: ServiceCaller

    init(_ settings: MatomoSettings, _ outside: IntegrationKind.Outside) {
        self.settings = settings
        let budget = RateBudget(outside.name, limit: 300, window: .seconds(60), clock: outside.clock)
        caller = ServiceCaller(outside, budget: budget)
    }

    /// What the API gives; null where the tracking site that the call is for is not there.
    /// - Parameter what: was asked for, for people.
    func call(
        _ method: String, _ parameters: [(name: String, value: String)] = [], _ what: String, changes: Bool = false
    ) async throws(PortError) -> JSONValue {
        // The token as a part of a URL would lie in logs, and counts as insecure as soon as it is there.
        var form: [(name: String, value: String)] = [
            ("module", "API"), ("method", method), ("format", "JSON"), ("token_auth", settings.token),
        ]
        form += parameters
        let request = OutboundRequest(
            "POST", "\(settings.url)/index.php",
            headers: ["Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"],
            body: Array(form.percentEncoded.utf8), timeout: .seconds(60), authorities: settings.authority)
        return try await caller.call(changes: changes) { () throws(PortError) in
            request
        } judge: { [token = settings.token] reply in
            MatomoAnswer.judge(reply, what, secret: token)
        }
    }

    /// The lines for pages of a tracking site, with the address under which we know Matomo.
    func snippet(_ id: String) async throws(PortError) -> String {
        // It gives one for any number.
        guard try await site(id) != nil else { throw PortError(.refused, "there is no tracking site \(id)") }
        let answer = try await call(
            "SitesManager.getJavascriptTag", [("idSite", id), ("piwikUrl", settings.url)],
            "the code of tracking site \(id)")
        let text = answer["value"]?.asString?.withoutEntities ?? ""
        guard text.contains("<script"), text.utf8.count <= 16 << 10 else {
            throw PortError(.refused, "Matomo gave no code for tracking site \(id)")
        }
        return text
    }

    static func check(_ id: String) throws(PortError) {
        guard (1...18).contains(id.utf8.count), id.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw PortError(.refused, "\(id.quotable) is no id of a tracking site")
        }
    }
}

/// What an answer means. Most errors come with 200, in the language of the token's user: their words are for people alone.
enum MatomoAnswer {
    static func judge(_ reply: OutboundReply, _ what: String, secret: String) -> Judgement<JSONValue> {
        // With a page for people where the token is none at all.
        if [401, 403].contains(reply.status) {
            return .failed(PortError(.refused, "\(what): Matomo does not take the token, or it is no super user's"))
        }
        let isGood = (200..<300).contains(reply.status)
        guard let json = try? JSONParser.parse(reply.body, limits: .local) else {
            guard isGood else { return reply.judged(what) }
            return .unclear(PortError(.silent, "\(what) was answered with what is no answer of Matomo's API"))
        }
        guard json["result"]?.asString == "error" else { return isGood ? .value(json) : reply.judged(what) }
        let text = json["message"]?.asString?.withoutEntities ?? ""
        if isMissingSite(text) { return .value(nil) }
        let reason = text.isEmpty || text.contains(secret) ? "answered with \(reply.status)" : text.quotable
        let message = "\(what): \(reason)"
        switch reply.status {
        case 429, 503: return .busy(PortError(.busy, message), after: reply.retryAfter)
        case 500...: return .unclear(PortError(.silent, message))
        default: return .failed(PortError(.refused, message))
        }
    }

    /// The two errors that are English whatever the language is.
    private static func isMissingSite(_ text: String) -> Bool {
        text.contains("An unexpected website was found in the request")
            || text.contains("website id =") && text.contains("not found")
    }
}

extension String {
    /// As it was before it was made fit for HTML.
    var withoutEntities: String {
        replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"")
            .replacing("&#039;", with: "'").replacing("&#39;", with: "'").replacing("&#x27;", with: "'").replacing(
                "&amp;", with: "&")
    }
}
