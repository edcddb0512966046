/// What one driver sees on the node: all of it, or what changed since the generation before.
package struct Inventory: WireMessage {
    package static let type = "inventory"

    package var driver: String
    /// Counts up per driver; a delta applies only on top of the generation just below.
    package var generation: Int64
    /// All items, not only changed ones; what is not listed is gone.
    package var full: Bool
    package var items: [Item]
    /// Resources that are gone; empty when full.
    package var removed: [String]

    package init(driver: String, generation: Int64, full: Bool, items: [Item], removed: [String] = []) {
        self.driver = driver
        self.generation = generation
        self.full = full
        self.items = items
        self.removed = removed
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        driver = try fields.id("driver")
        generation = try fields.natural("generation")
        full = try fields.bool("full")
        items = try fields.list("items", Item.init(reading:))
        removed = try fields.names("removed")
        guard !full || removed.isEmpty else {
            throw FieldError(path: "removed", problem: .value(expected: "empty where full is true"))
        }
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("driver", driver)
        fields.put("generation", generation)
        fields.put("full", full)
        fields.put("items", items)
        fields.put("removed", removed)
    }

    package struct Item: WireRecord {
        package var resource: String
        package var state: JSONObject

        package init(resource: String, state: JSONObject) {
            self.resource = resource
            self.state = state
        }

        package init(reading fields: JSONObject) throws(FieldError) {
            resource = try fields.name("resource")
            state = try fields.object("state")
        }

        package func write(_ fields: inout FieldWriter) {
            fields.put("resource", resource)
            fields.put("state", state)
        }
    }
}
