import Model
import WireProtocol

/// A row that is to become a site. Who writes the table may write anything.
struct QueueRow: Sendable, Hashable {
    /// As the table has it: a whole number or a text.
    var key: JSONValue
    /// In lower case, IDN as punycode; nil for what is no domain.
    var domain: String?
    /// What stands there, for people.
    var shownDomain: String

    /// Nil for a row that has no key by which it could be told anything.
    init?(_ row: JSONObject, _ sites: QueueSettings.Sites) {
        guard let key = row[sites.key], Self.isKey(key) else { return nil }
        self.key = key
        let text = row[sites.domain]?.asString ?? ""
        shownDomain = QueueText.reason(String(text.prefix(253)))
        guard text.utf8.count <= 512, let ascii = DomainText.ascii(text.trimmed), Grammar.domainName.accepts(ascii)
        else { return }
        domain = ascii
    }

    static func isKey(_ key: JSONValue) -> Bool {
        if key.asInteger != nil { return true }
        guard let text = key.asString else { return false }
        return (1...128).contains(text.utf8.count) && VisibleText.isVisible(text)
    }

    /// As the claim has it.
    var text: String { key.text }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
