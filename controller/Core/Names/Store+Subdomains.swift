package import Model
package import Store

// A service holds a label and what it looks like. Both rest together, so that nobody gets a name that is taken for a customer's
// of yesterday.

extension Store {
    private static let kind = "subdomain"
    private static let labelSlot = "label"
    private static let lookSlot = "look"

    /// Takes the first of the candidates that is free and looks like no other's. What the service has already it keeps.
    /// Throws `exhausted`.
    /// - Parameter zone: in which it must be unique: `sites.example.org`.
    package func takeSubdomain(
        of zone: String, _ candidates: [String], for service: String, operation: String?, at time: Timestamp
    ) throws(StoreError) -> String {
        if let held = try subdomain(of: service)?.value { return held }
        var withoutRest = AllocationRules.standard
        withoutRest.subdomainRest = .zero
        for label in candidates {
            let look = Subdomain.look(of: label)
            let lookScope = Self.lookScope(zone)
            guard try take(look, in: lookScope, slot: Self.lookSlot, service, operation, time) else { continue }
            if try take(label, in: zone, slot: Self.labelSlot, service, operation, time) { return label }
            _ = try releaseAllocation(
                kind: Self.kind, scope: lookScope, value: look, service: service, at: time, by: withoutRest)
        }
        throw .exhausted(kind: Self.kind, scope: zone)
    }

    /// The label that the service holds; its scope is the zone.
    package func subdomain(of service: String) throws(StoreError) -> AllocationRecord? {
        try allocations(service: service).first { $0.kind == Self.kind && $0.slot == Self.labelSlot }
    }

    /// Somebody else is known by the service's label already: it takes another one, and nobody gets this one for as long as one
    /// rests.
    package func disownSubdomain(of service: String, because note: String, at time: Timestamp) throws(StoreError) {
        for record in try allocations(service: service) where record.kind == Self.kind {
            try disown(record, because: note, at: time)
        }
    }

    private func take(
        _ value: String, in scope: String, slot: String, _ service: String, _ operation: String?, _ time: Timestamp
    ) throws(StoreError) -> Bool {
        let request = AllocationRequest(
            kind: Self.kind, scope: scope, candidates: [value], service: service, operation: operation, slot: slot)
        do throws(StoreError) { return try allocate(request, at: time).value == value } catch {
            guard case .exhausted = error else { throw error }
            return false
        }
    }

    private static func lookScope(_ zone: String) -> String { "look/\(zone)" }
}
