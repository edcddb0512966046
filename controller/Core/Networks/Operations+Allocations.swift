import Model
import Placement
package import Store
import WireProtocol

extension Operations {
    /// No service gets the value from now on; whoever holds it keeps it. Said again, it is what it was.
    package func reserveValue(
        kind: String, scope: String, value: String, note: String?, by requester: Requester
    ) async throws(CoreError) -> WithheldValue {
        try requester.requireFleet()
        let value = try Self.checked(kind, scope, value, note)
        let now = now
        return try await record { store throws(StoreError) in
            try store.withhold(
                WithheldValue(
                    kind: kind, scope: scope, value: value, reason: .reserved, note: note, since: now))
            guard let kept = try store.withheldValue(kind: kind, scope: scope, value: value) else {
                return .failure(.notFound(kind: "value", id: value))
            }
            if kept.since == now {
                try store.audit(
                    "value.reserve", kept.id, by: requester, at: now,
                    detail: ["kind": .string(kind), "scope": .string(scope), "value": .string(value)])
            }
            return .success(kept)
        }
    }

    /// The value may be given out again.
    package func freeValue(_ id: String, by requester: Requester) async throws(CoreError) {
        try requester.requireFleet()
        let now = now
        try await record { store throws(StoreError) -> Result<Void, CoreError> in
            guard let value = try store.withheldValue(id) else {
                return .failure(.notFound(kind: "withheld value", id: id))
            }
            _ = try store.freeWithheld(id)
            try store.audit(
                "value.free", id, by: requester, at: now,
                detail: [
                    "kind": .string(value.kind), "scope": .string(value.scope), "value": .string(value.value),
                    "reason": .string(value.reason.rawValue),
                ])
            return .success(())
        }
    }

    /// The value as it is written when it is given out: one address has one text.
    private static func checked(
        _ kind: String, _ scope: String, _ value: String, _ note: String?
    ) throws(CoreError) -> String {
        guard Grammar.planName.accepts(kind) else {
            throw .invalid(field: "kind", problem: "must be a word such as ip, vmid, port or subdomain")
        }
        guard scope.utf8.count <= 256, scope.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .invalid(field: "scope", problem: "must be at most 256 printable ASCII characters without spaces")
        }
        guard (1...256).contains(value.utf8.count), value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .invalid(field: "value", problem: "must be 1 to 256 printable ASCII characters without spaces")
        }
        if let note, note.utf8.count > 500 { throw .invalid(field: "note", problem: "must be at most 500 bytes") }
        let canonical: String? =
            switch kind {
            case "ip": IPAddress(value).map { "\($0)" }
            case "mac": MACAddress(value).map { "\($0)" }
            case "vmid", "port": UInt64(value).map { "\($0)" }
            default: value
            }
        guard let canonical else { throw .invalid(field: "value", problem: "is no \(kind)") }
        return canonical
    }
}
