import Model
package import Store
import WireProtocol

extension Operations {
    /// No new service is placed on the node; those that are there stay.
    package func cordon(_ node: String, by requester: Requester) async throws(CoreError) -> NodeRecord {
        try await change(node, "node.cordon", by: requester) { $0.schedulable = false }
    }

    /// Says that a node may be trusted, with the figures that it claims now: from here on it gets services, commands and
    /// what they must know. Again for a node whose claims have grown.
    /// - Parameter seen: what whoever approves has looked at; a node that says something else by now is not approved.
    package func approve(
        _ node: String, seen: NodeClaims? = nil, by requester: Requester
    ) async throws(CoreError) -> NodeRecord {
        try requester.requireFleet()
        let now = now
        return try await record { store throws(StoreError) in
            guard let before = try store.node(node) else { return .failure(.notFound(kind: "node", id: node)) }
            let claims = NodeClaims(facts: before.facts)
            if let objection = before.objection(toApproving: claims, seen: seen) { return .failure(objection) }
            let (believed, _) = claims.judged(against: nil)
            let after = try store.updateNode(node) { record in
                if record.approvedAt == nil { (record.approvedAt, record.schedulable) = (now, true) }
                record.approvedClaims = believed
                (record.cpuMillis, record.memoryBytes) = (believed.cpuMillis, believed.memoryBytes)
                record.diskBytes = believed.diskBytes
            }
            if after != before {
                try store.audit("node.approve", node, by: requester, at: now, detail: ["claims": .object(claims.json)])
            }
            return .success(after)
        }
    }

    /// Makes of the labels what `next` makes of them as they are in the moment of the change.
    /// - Parameter isExpected: asked for the labels in that moment; false refuses the change.
    package func label(
        _ node: String, by requester: Requester,
        ifSo isExpected: @escaping @Sendable ([String: String]) -> Bool = { _ in true },
        _ next: @escaping @Sendable ([String: String]) -> [String: String]
    ) async throws(CoreError) -> NodeRecord {
        try requester.requireFleet()
        let now = now
        return try await record { store throws(StoreError) in
            guard let before = try store.node(node) else { return .failure(.notFound(kind: "node", id: node)) }
            guard isExpected(before.labels) else {
                return .failure(.notAsExpected("the set of labels of node \(before.name)"))
            }
            let labels = next(before.labels)
            do throws(CoreError) { try checkLabels(labels, field: "labels") } catch { return .failure(error) }
            guard labels != before.labels else { return .success(before) }
            let detail: JSONObject = ["labels": .strings(labels), "changed": .changes(before.labels, labels)]
            try store.audit("node.label", node, by: requester, at: now, detail: detail)
            return .success(try store.updateNode(node) { $0.labels = labels })
        }
    }

    /// Shuts the node out for good: its session is cut at once and its certificate is worth nothing any more.
    package func revoke(
        _ node: String, reason: String, by requester: Requester
    ) async throws(CoreError) -> NodeRecord {
        try requester.requireFleet()
        let now = now
        let revoked: NodeRecord = try await record { store throws(StoreError) in
            if try store.revokeNode(node, at: now) {
                try store.audit("node.revoke", node, by: requester, at: now, detail: ["reason": .string(reason)])
            }
            guard let revoked = try store.node(node) else { return .failure(.notFound(kind: "node", id: node)) }
            return .success(revoked)
        }
        // After the commit: a node that reconnects in between is already refused.
        await dependencies.agents.revoke(node)
        return revoked
    }

    private func change(
        _ node: String, _ action: String, by requester: Requester,
        _ body: @escaping @Sendable (inout NodeRecord) -> Void
    ) async throws(CoreError) -> NodeRecord {
        try requester.requireFleet()
        let now = now
        return try await record { store throws(StoreError) in
            let before = try store.node(node)
            let after = try store.updateNode(node, body)
            if after != before { try store.audit(action, node, by: requester, at: now) }
            return .success(after)
        }
    }
}

extension NodeRecord {
    /// Why the node gets nothing to do; nil once it is approved.
    func refusal(of what: String) -> CoreError? {
        guard approvedAt == nil else { return nil }
        return .notAllowedInState(
            resource: "node \(name)", state: "not approved", reason: "\(what); innctl node approve says what it claims")
    }

    fileprivate func objection(toApproving claims: NodeClaims, seen: NodeClaims?) -> CoreError? {
        if revokedAt != nil {
            return .notAllowedInState(
                resource: "node \(name)", state: "revoked", reason: "it must enrol anew to be approved")
        }
        if facts.isEmpty {
            return .notAllowedInState(
                resource: "node \(name)", state: state.rawValue,
                reason: "it has not connected yet, so that there is nothing to look at")
        }
        guard let seen, seen != claims else { return nil }
        return .conflict("node \(name) claims something else by now: look at it again")
    }
}
