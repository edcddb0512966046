/// Something that somebody outside keeps for us under a name.
package protocol ManagedObject: Sendable, Hashable {
    /// What there is of this sort: `DNS record`.
    static var noun: String { get }
    /// By which it is found again.
    var name: String { get }
}

/// A thing as it was found, with the mark that says whose it is; nil for one that bears none.
package struct MarkedObject<Thing: ManagedObject>: Sendable, Hashable {
    package var thing: Thing
    package var mark: String?

    package init(_ thing: Thing, mark: String?) { (self.thing, self.mark) = (thing, mark) }
}

/// Who keeps things of one sort: a DNS provider, a proxy, a panel. None of the three needs to be told twice, and all may be.
package struct ObjectProvider<Thing: ManagedObject>: Sendable {
    package var find: @Sendable (_ name: String) async throws(PortError) -> MarkedObject<Thing>?
    /// Makes it, or makes it so, with its mark.
    package var put: @Sendable (Thing, _ mark: String) async throws(PortError) -> Void
    package var remove: @Sendable (_ name: String) async throws(PortError) -> Void

    package init(
        find: @escaping @Sendable (String) async throws(PortError) -> MarkedObject<Thing>?,
        put: @escaping @Sendable (Thing, String) async throws(PortError) -> Void,
        remove: @escaping @Sendable (String) async throws(PortError) -> Void
    ) {
        (self.find, self.put, self.remove) = (find, put, remove)
    }

    package static var none: ObjectProvider {
        ObjectProvider(
            find: { (_) throws(PortError) in throw .notSetUp("keeper of a \(Thing.noun)") },
            put: { (_, _) throws(PortError) in throw .notSetUp("keeper of a \(Thing.noun)") },
            remove: { (_) throws(PortError) in throw .notSetUp("keeper of a \(Thing.noun)") })
    }

    /// The same, with each call counted against a budget that others share.
    package func within(_ budget: RateBudget) -> ObjectProvider {
        ObjectProvider(
            find: { name throws(PortError) in
                try await budget.spend()
                return try await find(name)
            },
            put: { thing, mark throws(PortError) in
                try await budget.spend()
                try await put(thing, mark)
            },
            remove: { name throws(PortError) in
                try await budget.spend()
                try await remove(name)
            })
    }
}
