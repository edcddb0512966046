package import Model
package import Store

/// What services of a product can be without for a while, such as a certificate before their names lead here: it stays wanted, with the
/// reason as a finding, and a verb of the product tries again when its time has come.
package struct WishOffer: Sendable {
    /// Something that is not there yet.
    package struct Missing: Sendable, Hashable {
        /// One of the offer's names.
        package var name: String
        /// Why, as part of a sentence for people.
        package var reason: String
        package var since: Timestamp
        /// When to try again.
        package var next: Timestamp

        package init(_ name: String, reason: String, since: Timestamp, next: Timestamp) {
            (self.name, self.reason, self.since, self.next) = (name, reason, since, next)
        }
    }

    /// All that can be missing: `certificate`. The finding of one is `service.NAME_wanted`.
    package var names: [String]
    package var missing: @Sendable (ServiceRecord) -> [Missing]
    /// Without parameters: gets what is missing, and notes why it could not.
    package var verb: Verb

    package init(names: [String], missing: @escaping @Sendable (ServiceRecord) -> [Missing], verb: Verb) {
        (self.names, self.missing, self.verb) = (names, missing, verb)
    }
}
