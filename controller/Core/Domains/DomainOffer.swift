package import Store
package import WireProtocol

/// What a product does for domains of customers' own. The core keeps them, says whose they are and looks at them; the product
/// serves them.
package struct DomainOffer: Sendable {
    /// How many a service may have, by its specification.
    package var quota: @Sendable (JSONObject) -> Int64
    /// Domains of the provider's that services of this specification have their own names below: no customer's.
    package var zones: @Sendable (JSONObject) -> [String]
    /// IP addresses under which the world reaches a service.
    package var addresses: @Sendable (ServiceRecord, Ports) async throws(PortError) -> [String]
    /// Verbs with the parameter `domain`: one takes it as far as it goes, one gives it up.
    package var check: Verb
    package var remove: Verb

    package init(
        quota: @escaping @Sendable (JSONObject) -> Int64, zones: @escaping @Sendable (JSONObject) -> [String],
        addresses: @escaping @Sendable (ServiceRecord, Ports) async throws(PortError) -> [String], check: Verb,
        remove: Verb
    ) {
        (self.quota, self.zones, self.addresses) = (quota, zones, addresses)
        (self.check, self.remove) = (check, remove)
    }
}
