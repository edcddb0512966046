import Model
import Store
import WireProtocol

extension Operations {
    /// Transfers that may wait or run at one time: each holds a window of bytes here.
    static var transferLimit: Int { 32 }
    private static var deadlines: ClosedRange<Duration> { .seconds(1) ... .seconds(24 * 3600) }

    /// Records a transfer. What it may touch is both nodes' own decision, and part of the result.
    package func transfer(
        _ request: TransferRequest, by requester: Requester
    ) async throws(CoreError) -> OrderedCommand {
        try requester.requireFleet()
        guard Self.deadlines.contains(request.deadline) else {
            throw .invalid(field: "deadline_seconds", problem: "must be from 1 to 86400")
        }
        guard request.source != request.target else {
            throw .invalid(field: "target", problem: "must be another dataset than the source")
        }
        let (transfer, now) = (request.transfer, now)
        return try await record { store throws(StoreError) in
            if let earlier = try store.earlier(Transfer.kind, by: requester, at: now, isSame: transfer.isSame) {
                return .success(earlier)
            }
            for command in [transfer.sender, transfer.receiver] {
                if let objection = try store.objection(to: command) { return .failure(objection) }
            }
            let filter = OperationFilter(states: [.queued, .running], kind: Transfer.kind)
            guard
                try store.operations(filter, page: PageRequest(limit: Self.transferLimit)).items.count
                    < Self.transferLimit
            else {
                return .failure(
                    .notAllowedInState(
                        resource: "the controller", state: "busy",
                        reason: "\(Self.transferLimit) transfers wait or run already"))
            }
            return .success(try store.queue(transfer, by: requester, at: now))
        }
    }
}

extension Store {
    /// Why a node cannot be an end of a transfer; nil when it can. One that has told nothing may know it all the same.
    fileprivate func objection(to command: NodeCommand) throws(StoreError) -> CoreError? {
        guard let node = try node(command.node) else { return .notFound(kind: "node", id: command.node) }
        guard node.revokedAt == nil else {
            return .notAllowedInState(
                resource: "node \(node.name)", state: "revoked", reason: "nothing can be done on it any more")
        }
        if let refusal = node.refusal(of: "before that nothing is sent to it or taken from it") { return refusal }
        guard let drivers = try catalogue(of: node.id)?.asArray else { return nil }
        guard drivers.contains(where: { $0["driver"]?.asString == command.driver }) else {
            return .notAllowedInState(
                resource: "node \(node.name)", state: "without ZFS", reason: "it can neither send nor receive a dataset"
            )
        }
        return nil
    }

    fileprivate func queue(
        _ transfer: Transfer, by requester: Requester, at time: Timestamp
    ) throws(StoreError) -> OrderedCommand {
        let operation = try insertOperation(
            OperationRecord(
                id: Identifier.make("op"), kind: Transfer.kind, node: transfer.receiver.node,
                parameters: transfer.parameters, requestedBy: requester.name,
                idempotencyKey: requester.idempotencyKey, createdAt: time))
        for (command, role) in [(transfer.sender, "source"), (transfer.receiver, "target")] {
            try audit(
                "node.transfer", command.node, by: requester, at: time,
                detail: [
                    "operation": .string(operation.id), "role": .string(role), "resource": .string(command.resource),
                    "snapshot": .string(transfer.snapshot),
                ])
        }
        return OrderedCommand(operation: operation, created: true)
    }
}
