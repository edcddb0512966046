import Model
package import Store

extension DomainRecord {
    /// What allocations of them are called.
    package static let kind = "domain"

    /// Apex and `www` are one.
    package var names: [String] { Self.names(name) }
    /// The TXT record that proves whose it is, and what it must hold.
    package var proofName: String { Self.proofName(name) }
    package var proofValue: String { Self.proofValue(token) }

    package static func names(_ name: String) -> [String] { [name, "www.\(name)"] }
    package static func proofName(_ name: String) -> String { "_innkeeper.\(name)" }
    package static func proofValue(_ token: String) -> String { "innkeeper-verification=\(token)" }

    /// As punycode and without any `www`, so that it is its own normal form; nil for what is no domain.
    package static func normal(_ text: String) -> String? {
        guard var name = DomainText.ascii(text) else { return nil }
        while name.hasPrefix("www."), name.split(separator: ".").count > 2 { name.removeFirst(4) }
        return Grammar.domainName.accepts(name) && name.utf8.count <= 240 ? name : nil
    }

    /// Whether it is proven, or something that was made for it is there: nobody else can have it.
    package var isKept: Bool { state > .awaitingProof || isServed || zone != nil }

    /// What is to be done first.
    package var request: String { "put a TXT record \(proofName) with \(proofValue) into DNS, then check the domain" }
}
