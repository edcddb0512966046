package import Model
package import WireProtocol

/// One thing a driver sees on the node.
package struct InventoryItem: Sendable, Hashable {
    /// Resource name: `docker/svc_1`.
    package let resource: String
    package let state: JSONObject

    package init(resource: String, state: JSONObject) {
        self.resource = resource
        self.state = state
    }
}

/// A counter that only grows while its epoch stays the same; a new epoch starts at zero.
package struct UsageCounter: Sendable, Hashable {
    /// Whom it counts for: the resource name.
    package let subject: String
    /// What it counts, with the unit: `cpu_ms`, `network_tx_bytes`.
    package let meter: String
    /// Identity of the counting run (boot id and container start, say).
    package let epoch: String
    package let value: Int64

    package init(subject: String, meter: String, epoch: String, value: Int64) {
        self.subject = subject
        self.meter = meter
        self.epoch = epoch
        self.value = value
    }
}

/// Something that happened on the node without being asked for.
package struct DriverEvent: Sendable, Hashable {
    /// When it happened, by the source's own clock.
    package let time: Timestamp
    package let resource: String?
    /// What happened: `container.died`.
    package let kind: String
    package let data: JSONObject

    package init(time: Timestamp, resource: String? = nil, kind: String, data: JSONObject = [:]) {
        self.time = time
        self.resource = resource
        self.kind = kind
        self.data = data
    }
}
