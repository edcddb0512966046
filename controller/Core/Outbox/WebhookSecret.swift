import Model
import Store
import Transport
import WireProtocol

/// What messages are signed with, as Standard Webhooks has it: `whsec_` and base64 of 32 bytes.
struct WebhookSecret: Sendable, Hashable {
    static let prefix = "whsec_"
    let text: String

    static func make() -> WebhookSecret { WebhookSecret(text: prefix + Crypto.base64(Crypto.randomBytes(32))) }

    /// Nil for a text of another form.
    var key: [UInt8]? {
        text.hasPrefix(Self.prefix) ? Crypto.bytes(base64: text.dropFirst(Self.prefix.count)) : nil
    }

    /// `v1,…`
    func signature(id: String, seconds: Int64, body: [UInt8]) -> String? {
        key.map { "v1," + Crypto.base64(Crypto.hmacSHA256(key: $0, Array("\(id).\(seconds).".utf8) + body)) }
    }
}

/// The secrets of a webhook: the newest, and for a time the one before it.
struct WebhookSecrets: Sendable, Hashable {
    /// Both sign until the receiver knows the new one.
    static let overlap = Duration.seconds(24 * 3600)

    var current: WebhookSecret
    var previous: WebhookSecret?
    var previousUntil: Timestamp?

    static func make() -> WebhookSecrets { WebhookSecrets(current: .make()) }

    init(current: WebhookSecret) { self.current = current }

    /// Nil where the row holds none.
    init?(_ json: JSONObject) {
        guard let text = json["current"]?.asString else { return nil }
        current = WebhookSecret(text: text)
        previous = json["previous"]?.asString.map { WebhookSecret(text: $0) }
        previousUntil = json["previous_until"]?.asInteger.map { Timestamp(milliseconds: $0) }
    }

    var json: JSONObject {
        var json: JSONObject = ["current": .string(current.text)]
        json["previous"] = previous.map { .string($0.text) }
        json["previous_until"] = previousUntil.map { .integer($0.milliseconds) }
        return json
    }

    mutating func rotate(at time: Timestamp) {
        (previous, previousUntil) = (current, time + Self.overlap)
        current = .make()
    }

    func valid(at time: Timestamp) -> [WebhookSecret] {
        guard let previous, let previousUntil, time < previousUntil else { return [current] }
        return [current, previous]
    }
}
