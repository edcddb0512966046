package import Placement
package import Store
package import WireProtocol

/// A kind of thing that can be sold, as a folder provides it: all that the core has to know of it is in this value.
package struct Product: Sendable {
    /// Of plans and services: `container`.
    package var name: String
    /// One sentence for people.
    package var summary: String
    package var specification: Specification
    /// How a node is chosen for a service; nil for a product that works on no node.
    package var placement: PlacementNeeds?
    package var verbs: [ProductVerb]
    /// How what should be is compared with what is; nil compares nothing.
    package var drift: DriftWatch?
    /// Things in the inventories of nodes that bear our mark.
    package var objects: [MarkedObjects]
    /// Things of a service whose marks are looked after.
    package var things: [MarkedThing]
    /// The figures of nodes that are a service's own.
    package var figures: @Sendable (ServiceRecord) -> [FigurePart]
    /// Looks outside and says for certain that nothing of a service is left there; false when in doubt. Nil never says so.
    package var isGone: (@Sendable (ServiceLook) async -> Bool)?
    /// What it does for domains of customers' own; nil for a product whose services have none.
    package var domains: DomainOffer?
    /// How its services are backed up; nil for a product that makes no backups.
    package var backups: BackupOffer?
    /// What its services can be without for a while; nil for a product whose services come whole or not at all.
    package var wishes: WishOffer?
    /// What whoever sees a service may know of it beyond what all services have: names, addresses, domains. Nothing secret, and
    /// nothing of the fleet: its customer sees it too.
    package var shown: @Sendable (ServiceRecord) -> JSONObject
    /// Looks at a service from all sides for whoever has to help its customer, and changes nothing. Each look ends by itself.
    package var examine: (@Sendable (ServiceLook) async -> [ServiceRemark])?

    package init(
        name: String, summary: String, specification: Specification, placement: PlacementNeeds? = nil,
        verbs: [ProductVerb], drift: DriftWatch? = nil, objects: [MarkedObjects] = [], things: [MarkedThing] = [],
        figures: @escaping @Sendable (ServiceRecord) -> [FigurePart] = { _ in [] },
        isGone: (@Sendable (ServiceLook) async -> Bool)? = nil, domains: DomainOffer? = nil,
        backups: BackupOffer? = nil, wishes: WishOffer? = nil,
        shown: @escaping @Sendable (ServiceRecord) -> JSONObject = { _ in [:] },
        examine: (@Sendable (ServiceLook) async -> [ServiceRemark])? = nil
    ) {
        (self.domains, self.backups, self.wishes) = (domains, backups, wishes)
        (self.name, self.summary, self.specification) = (name, summary, specification)
        (self.placement, self.verbs, self.drift, self.objects) = (placement, verbs, drift, objects)
        (self.things, self.figures, self.isGone) = (things, figures, isGone)
        (self.shown, self.examine) = (shown, examine)
    }

    package func verb(_ name: String) -> ProductVerb? { verbs.first { $0.verb.name == name } }

    func verb(_ role: Verb.Role) -> ProductVerb? { verbs.first { $0.verb.role == role } }
}

/// What a product demands of a node.
package struct PlacementNeeds: Sendable {
    /// From a specification that was read before.
    package var demand: @Sendable (JSONObject) throws(CoreError) -> Demand
    /// Names of the networks that the node must have; the core knows what they are.
    package var networks: @Sendable (JSONObject) -> [String]

    package init(
        networks: @escaping @Sendable (JSONObject) -> [String] = { _ in [] },
        demand: @escaping @Sendable (JSONObject) throws(CoreError) -> Demand
    ) {
        (self.networks, self.demand) = (networks, demand)
    }
}

/// Series of a node that belong to a service.
package struct FigurePart: Sendable, Hashable {
    /// What their names begin with on the node.
    package var prefix: String
    /// What stands in its place for whoever asks.
    package var name: String

    package init(prefix: String, name: String) { (self.prefix, self.name) = (prefix, name) }
}

/// What was seen at one of the sides of a service.
package struct ServiceRemark: Sendable, Hashable {
    package enum Verdict: String, Sendable, Hashable {
        case good, wrong
        /// Nobody could say.
        case unclear
    }

    /// `dns`, `container`.
    package var subject: String
    package var verdict: Verdict
    /// One sentence for the service's customer, too: nothing secret, nothing of the fleet.
    package var text: String

    package init(_ subject: String, _ verdict: Verdict, _ text: String) {
        (self.subject, self.verdict, self.text) = (subject, verdict, text)
    }
}

/// What a look at a service outside any operation may touch.
package struct ServiceLook: Sendable {
    package let dependencies: Dependencies
    package let service: ServiceRecord
    /// What is allocated for it, and where its room is.
    package let held: [AllocationRecord]
    package let reservation: Reservation?
    /// Who looks, for the node's log.
    package let name: String
}
