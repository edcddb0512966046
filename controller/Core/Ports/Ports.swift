/// What sagas ask of others than agents. What the daemon plugs nothing into says that it is not set up.
package struct Ports: Sendable {
    /// DNS, proxies, zones: as many of each as the operator has set up, by name.
    package var integrations = IntegrationsPort.none
    package var panel = ObjectProvider<PanelObject>.none
    package var analytics = ObjectProvider<AnalyticsSite>.none
    package var resolver = ResolverPort.none
    package var mail = MailPort.none
    package var http = HTTPPort.none
    /// Visits to customers' sites, to see what their visitors see.
    package var web = HTTPPort.none
    package var random = RandomPort.system

    package init() {}
}

/// Asks what the world is told under a name.
package struct ResolverPort: Sendable {
    package enum RecordType: String, Sendable, Hashable, CaseIterable {
        case a = "A", aaaa = "AAAA", cname = "CNAME", ns = "NS", txt = "TXT"
    }

    /// The values of all records of a type, sorted; none when there are none. Aliases are followed for all types but `CNAME`. Names
    /// are in lower case without a dot at the end, texts are whole. Throws `busy` or `silent` when nobody could say.
    package var look: @Sendable (_ name: String, RecordType) async throws(PortError) -> [String]

    package init(look: @escaping @Sendable (String, RecordType) async throws(PortError) -> [String]) {
        self.look = look
    }

    package static let none = ResolverPort { (_, _) throws(PortError) in throw .notSetUp("resolver") }
}

/// Hands mail over to whoever delivers it.
package struct MailPort: Sendable {
    /// The same `id` twice is one mail.
    package var send: @Sendable (_ id: String, Mail) async throws(PortError) -> Void

    package init(send: @escaping @Sendable (String, Mail) async throws(PortError) -> Void) { self.send = send }

    package static let none = MailPort { (_, _) throws(PortError) in throw .notSetUp("mail server") }
}

/// A mail as text.
package struct Mail: Sendable, Hashable {
    package var to: String
    package var subject: String
    package var text: String

    package init(to: String, subject: String, text: String) { (self.to, self.subject, self.text) = (to, subject, text) }
}

/// Where passwords and nonces come from. What a step takes from here must go into its output, or be taken by an earlier step:
/// a step that is repeated gets others.
package struct RandomPort: Sendable {
    package var bytes: @Sendable (_ count: Int) -> [UInt8]

    package init(bytes: @escaping @Sendable (Int) -> [UInt8]) { self.bytes = bytes }

    /// Letters and digits without those that are taken for one another; each tells 5 bits.
    package func word(_ length: Int) -> String {
        String(decoding: bytes(length).map { Self.letters[Int($0 & 31)] }, as: UTF8.self)
    }

    private static let letters = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)

    package static let system = RandomPort { count in
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

extension PortError {
    package static func notSetUp(_ what: String) -> PortError { PortError(.notSetUp, "no \(what) is set up") }
}
