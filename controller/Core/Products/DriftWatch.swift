package import Store
package import WireProtocol

/// How a product compares what a service should be with what there is of it.
package struct DriftWatch: Sendable {
    package typealias Judge = @Sendable (ServiceRecord, Report) -> Drift?

    /// What is known of the thing that a service stands for.
    package enum Report: Sendable, Hashable {
        case missing
        case seen(JSONObject)
    }

    package enum Answer: Sendable, Hashable {
        case report(Report)
        /// None that can be relied on.
        case unclear
        /// Nobody answered, and nobody will answer the next question either.
        case silence
    }

    /// Whom to ask for what there is now.
    package enum Source: Sendable {
        /// The service's node. The inventory of the driver is looked at first, and may be old news: before anybody is alarmed,
        /// the node is asked the question, which is nil where there is none to ask.
        case node(
            driver: String, question: @Sendable (ServiceLook, _ resource: String) -> Question?,
            read: @Sendable (CommandResult) -> Answer)
        /// Somebody else, for a service on no node.
        case outside(@Sendable (ServiceLook, _ resource: String) async -> Answer)
    }

    package var source: Source
    /// What the thing is called there; nil for a service of which there is nothing to compare.
    package var resource: @Sendable (ServiceLook) -> String?
    /// Nil when all is as it should be.
    package var judge: Judge
    /// Whether what is repairable is repaired without being asked.
    package var repairs: @Sendable (ServiceRecord) -> Bool

    package init(
        _ source: Source, resource: @escaping @Sendable (ServiceLook) -> String?, judge: @escaping Judge,
        repairs: @escaping @Sendable (ServiceRecord) -> Bool = { _ in false }
    ) {
        (self.source, self.resource, self.judge, self.repairs) = (source, resource, judge, repairs)
    }
}

/// How a service differs from what it should be.
package struct Drift: Sendable, Hashable {
    /// One word, shown with the service: `missing`.
    package var kind: String
    /// Behind the service's name.
    package var sentence: String
    package var remedy: String
    package var isRepairable: Bool

    package init(kind: String, sentence: String, remedy: String, isRepairable: Bool) {
        (self.kind, self.sentence, self.remedy, self.isRepairable) = (kind, sentence, remedy, isRepairable)
    }
}

/// Things in the inventory of a driver that bear our mark.
package struct MarkedObjects: Sendable {
    package var driver: String
    /// In the plural: `containers`.
    package var noun: String
    /// The service that the mark names; nil for what bears none.
    package var owner: @Sendable (InventoryRecord) -> String?

    package init(driver: String, noun: String, owner: @escaping @Sendable (InventoryRecord) -> String?) {
        (self.driver, self.noun, self.owner) = (driver, noun, owner)
    }
}
