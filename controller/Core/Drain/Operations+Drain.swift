import Model
package import Store
import WireProtocol

extension Operations {
    /// What is on the node is to go elsewhere: nothing new is placed there, what can be moved is moved by and by, and the rest
    /// is stopped where that is wished. It lasts until `uncordon`.
    package func drain(
        _ node: String, stopping: Bool = false, by requester: Requester
    ) async throws(CoreError) -> NodeRecord {
        try requester.requireFleet()
        let now = now
        return try await record { store throws(StoreError) in
            guard let before = try store.node(node) else { return .failure(.notFound(kind: "node", id: node)) }
            let drain = stopping ? Drain.stops : .moves
            let after = try store.updateNode(node) { ($0.drain, $0.schedulable) = (drain, false) }
            if after != before {
                let detail: JSONObject = stopping ? ["stop": true] : [:]
                try store.audit("node.drain", node, by: requester, at: now, detail: detail)
            }
            return .success(after)
        }
    }

    /// The node takes new services again, and is not drained any more: moves that have not begun are called off, and what was
    /// stopped for the drain is started.
    package func uncordon(_ node: String, by requester: Requester) async throws(CoreError) -> NodeRecord {
        try requester.requireFleet()
        let (now, catalogue) = (now, dependencies.catalogue)
        return try await record { store throws(StoreError) in
            guard let before = try store.node(node) else { return .failure(.notFound(kind: "node", id: node)) }
            if let refusal = before.refusal(of: "before that no service may be placed there") {
                return .failure(refusal)
            }
            let after = try store.updateNode(node) { ($0.drain, $0.schedulable) = (nil, true) }
            if after != before { try store.audit("node.uncordon", node, by: requester, at: now) }
            if before.drain != nil { try store.endDrain(of: before, catalogue, at: now) }
            return .success(after)
        }
    }

    /// Has a service leave a node that is drained, if it is its turn in the moment of recording.
    /// - Returns: nil when there is nothing to do for it.
    func leave(_ service: String, _ node: String) async throws(CoreError) -> OperationRecord? {
        let (now, catalogue) = (now, dependencies.catalogue)
        return try await record { store throws(StoreError) in
            guard let node = try store.node(node), node.drain != nil,
                let record = try store.service(service), record.node == node.id,
                let product = catalogue.product(of: record)
            else { return .success(nil) }
            let verb: ProductVerb?
            switch try store.standing(of: record, on: node, catalogue, at: now) {
            case .waiting(operation: nil): verb = product.verb(Verb.move.name)
            case .toStop: verb = product.verb(Verb.suspend.name)
            default: return .success(nil)
            }
            guard let verb else { return .success(nil) }
            let parameters: JSONObject
            do throws(CoreError) { parameters = try verb.parameters.read([:]) } catch { return .failure(error) }
            let made = try store.queue(
                verb.verb, on: record, of: product, parameters: parameters,
                because: "node \(node.name) is drained", by: Drains.requester, at: now)
            return .success(made.operation)
        }
    }
}

extension Store {
    fileprivate func endDrain(of node: NodeRecord, _ catalogue: Catalogue, at now: Timestamp) throws(StoreError) {
        for service in try services(onNode: node.id) {
            guard let product = catalogue.product(of: service) else { continue }
            let own = try unfinishedOperations(service: service.id).filter(Drains.isOwn)
            for operation in own where operation.isUntouched { try callOff(operation, product, at: now) }
            let isStopping = own.contains { !$0.isUntouched && $0.kind == Verb.suspend.name }
            let isStopped = try isStoppedForDrain(service)
            guard isStopping || isStopped, let resume = product.verb(Verb.resume.name)?.verb,
                try objection(to: resume, on: service, of: product) == nil
            else { continue }
            _ = try queue(
                resume, on: service, of: product, because: "the drain of node \(node.name) has ended",
                by: Drains.requester, at: now)
        }
    }
}
