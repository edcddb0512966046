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
    /// Whether its things can bear a mark. Where they cannot, the journal says whose a thing is, and `find` gives nil for a mark.
    package var bearsMarks: Bool
    /// What is there under the name: the one with the mark where there is one, else somebody's.
    package var find: @Sendable (_ name: String, _ mark: String) async throws(PortError) -> MarkedObject<Thing>?
    /// Makes it, or makes it so, with its mark. Throws `conflict` for what would stand in the way of somebody else's.
    package var put: @Sendable (Thing, _ mark: String) async throws(PortError) -> Void
    /// Removes the one with the mark, and nothing else. Where nothing can bear one, what has the name.
    package var remove: @Sendable (_ name: String, _ mark: String) async throws(PortError) -> Void

    package init(
        bearsMarks: Bool = true,
        find: @escaping @Sendable (String, String) async throws(PortError) -> MarkedObject<Thing>?,
        put: @escaping @Sendable (Thing, String) async throws(PortError) -> Void,
        remove: @escaping @Sendable (String, String) async throws(PortError) -> Void
    ) {
        self.bearsMarks = bearsMarks
        (self.find, self.put, self.remove) = (find, put, remove)
    }

    package static var none: ObjectProvider {
        ObjectProvider(
            find: { (_, _) throws(PortError) in throw .notSetUp("keeper of a \(Thing.noun)") },
            put: { (_, _) throws(PortError) in throw .notSetUp("keeper of a \(Thing.noun)") },
            remove: { (_, _) throws(PortError) in throw .notSetUp("keeper of a \(Thing.noun)") })
    }

    /// The same, with each call counted against a budget that others share.
    package func within(_ budget: RateBudget) -> ObjectProvider {
        ObjectProvider(
            bearsMarks: bearsMarks,
            find: { name, mark throws(PortError) in
                try await budget.spend()
                return try await find(name, mark)
            },
            put: { thing, mark throws(PortError) in
                try await budget.spend()
                try await put(thing, mark)
            },
            remove: { name, mark throws(PortError) in
                try await budget.spend()
                try await remove(name, mark)
            })
    }
}
