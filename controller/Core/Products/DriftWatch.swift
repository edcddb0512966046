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

    /// The driver whose inventory on the service's node is looked at first. Nil asks at once: a service on no node.
    package var driver: String?
    /// What the thing is called there; nil for a service of which there is nothing to compare.
    package var resource: @Sendable (ServiceLook) -> String?
    /// Nil when all is as it should be.
    package var judge: Judge
    /// Asks for what there is now: an inventory may be old news.
    package var ask: @Sendable (ServiceLook, _ resource: String) async -> Answer
    /// Whether what is repairable is repaired without being asked.
    package var repairs: @Sendable (ServiceRecord) -> Bool

    package init(
        driver: String?, resource: @escaping @Sendable (ServiceLook) -> String?, judge: @escaping Judge,
        ask: @escaping @Sendable (ServiceLook, String) async -> Answer,
        repairs: @escaping @Sendable (ServiceRecord) -> Bool = { _ in false }
    ) {
        (self.driver, self.resource, self.judge, self.ask, self.repairs) = (driver, resource, judge, ask, repairs)
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
