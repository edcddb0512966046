package import WireProtocol

/// A kind of service of others that can be set up, as often as there are accounts with it: a value that a folder provides.
package struct IntegrationKind: Sendable {
    /// `cloudflare`.
    package var name: String
    /// One sentence for people.
    package var summary: String
    package var offers: Set<IntegrationOffer>
    /// JSON Schema of the settings. What it allows may still be refused by `read`.
    package var schema: JSONObject
    /// Settings that go in and never come out: texts.
    package var secrets: Set<String>
    /// Reads and checks settings, and returns their normal form; an error's field is a path below `path`.
    package var read: @Sendable (_ settings: JSONObject, _ path: String) throws(CoreError) -> JSONObject
    /// Of settings that were read. Calls nobody yet.
    package var connect: @Sendable (_ settings: JSONObject, Outside) -> Integration

    package init(
        name: String, summary: String, offers: Set<IntegrationOffer>, schema: JSONObject, secrets: Set<String>,
        read: @escaping @Sendable (JSONObject, String) throws(CoreError) -> JSONObject,
        connect: @escaping @Sendable (JSONObject, Outside) -> Integration
    ) {
        (self.name, self.summary, self.offers) = (name, summary, offers)
        (self.schema, self.secrets, self.read, self.connect) = (schema, secrets, read, connect)
    }

    /// By what an integration reaches its service.
    package struct Outside: Sendable {
        package var http: HTTPPort
        package var clock: ClockPort
        package var random: RandomPort
        /// What the operator calls it, for errors.
        package var name: String

        package init(http: HTTPPort, clock: ClockPort = .system, random: RandomPort = .system, name: String) {
            (self.http, self.clock, self.random, self.name) = (http, clock, random, name)
        }
    }

    func checked(_ settings: JSONObject, _ path: String) throws(CoreError) -> JSONObject {
        try SchemaCheck().check(settings, schema, path)
        return try read(settings, path)
    }
}

/// What an integration can be used for.
package enum IntegrationOffer: String, Sendable, Hashable, CaseIterable {
    /// Records in zones that are there.
    case dns
    /// Zones of other people's domains.
    case zones
    case proxy
    case resolver
    /// Counting of visits.
    case analytics
    /// Rows of a database of others.
    case tables
}
