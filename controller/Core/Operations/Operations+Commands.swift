package import AgentCommands
import Model
package import Store
package import WireProtocol

/// A command as somebody asks for it; what is not given is taken from what the node says of the operation.
package struct CommandRequest: Sendable, Hashable {
    /// With the driver's name: `docker.container.exec`.
    package var operation: String
    /// What it works on. When nil it follows from the arguments where the operation says how, else it is the driver's name.
    package var resource: String?
    package var arguments: JSONObject
    package var secrets: JSONObject
    /// 1 s to 24 h.
    package var deadline: Duration?
    /// Its output waits for a reader.
    package var isFollowed: Bool
    /// It is called off when nobody follows it any more.
    package var isAttended: Bool

    package init(
        operation: String, resource: String? = nil, arguments: JSONObject = [:], secrets: JSONObject = [:],
        deadline: Duration? = nil, isFollowed: Bool = false, isAttended: Bool = false
    ) {
        self.operation = operation
        self.resource = resource
        self.arguments = arguments
        self.secrets = secrets
        self.deadline = deadline
        self.isFollowed = isFollowed
        self.isAttended = isAttended
    }
}

/// An operation that a request made, or had made before.
package struct OrderedCommand: Sendable, Hashable {
    package var operation: OperationRecord
    /// False when the same request was taken before.
    package var created: Bool
}

extension Operations {
    /// Commands that may wait or run on one node.
    package static var commandsPerNode: Int { 128 }

    /// Records a command to a node. Whether it is allowed there is the node's own decision, and part of the result.
    package func command(
        _ request: CommandRequest, on node: String, by requester: Requester
    ) async throws(CoreError) -> OrderedCommand {
        try requester.requireFleet()
        let now = now
        return try await record { store throws(StoreError) in
            guard let record = try store.node(node) else { return .failure(.notFound(kind: "node", id: node)) }
            let command: NodeCommand
            switch request.command(on: record, catalogue: try store.catalogue(of: node)) {
            case .failure(let error): return .failure(error)
            case .success(let checked): command = checked
            }
            if let earlier = try store.earlier(NodeCommand.kind, by: requester, at: now, isSame: command.isSame) {
                return .success(earlier)
            }
            if let objection = try store.objection(to: command, on: record) { return .failure(objection) }
            return .success(try store.queue(command, by: requester, at: now))
        }
    }
}

extension Operations {
    /// What the commands that run now say.
    package var live: LiveCommands { dependencies.live }

    /// Bytes for the input of an operation's command. Waits a little for a command that is about to begin, or has not read
    /// what it has.
    package func input(
        _ data: [UInt8], at offset: Int64, end: Bool, to operation: String
    ) async throws(CoreError) -> CommandInputAnswer {
        let last = ContinuousClock.now + .seconds(10)
        dependencies.live.attend(operation)
        while true {
            var answer = CommandInputAnswer.unknown
            if let command = dependencies.live.command(of: operation) {
                answer = await dependencies.agents.input(command, data, offset, end)
            } else {
                let state = try await state(ofCommand: operation)
                if state.isFinished { return .unknown }
            }
            guard answer == .full || answer == .unknown, ContinuousClock.now < last else { return answer }
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return .full }
        }
    }

    /// Tells an operation's command the size that its terminal has from now on. False when none runs.
    package func resize(rows: Int64, columns: Int64, of operation: String) async throws(CoreError) -> Bool {
        _ = try await state(ofCommand: operation)
        dependencies.live.attend(operation)
        return dependencies.live.command(of: operation).map { dependencies.agents.resize($0, rows, columns) } ?? false
    }

    private func state(ofCommand operation: String) async throws(CoreError) -> OperationRecord.State {
        let found: OperationRecord?
        do throws(StoreError) { found = try await dependencies.store.operation(operation) } catch {
            throw CoreError(error)
        }
        guard let found, found.kind == NodeCommand.kind else { throw .notFound(kind: "command", id: operation) }
        return found.state
    }
}

extension Store {
    /// What the same request to nodes made before, under its idempotency key.
    func earlier(
        _ kind: String, by requester: Requester, at time: Timestamp, isSame: (OperationRecord) -> Bool
    ) throws(StoreError) -> OrderedCommand? {
        guard let key = requester.idempotencyKey,
            let operation = try operation(
                kind: kind, key: key, by: requester.name, since: time - Requester.keyLifetime),
            isSame(operation)
        else { return nil }
        return OrderedCommand(operation: operation, created: false)
    }

    fileprivate func objection(to command: NodeCommand, on node: NodeRecord) throws(StoreError) -> CoreError? {
        func refusal(_ state: String, _ reason: String) -> CoreError {
            .notAllowedInState(resource: "node \(node.name)", state: state, reason: reason)
        }
        guard node.revokedAt == nil else { return refusal("revoked", "nothing can be done on it any more") }
        if !command.isLook, let refusal = node.refusal(of: "before that it is only looked at, and told no secrets") {
            return refusal
        }
        let limit = Operations.commandsPerNode
        let filter = OperationFilter(states: [.queued, .running], node: node.id, kind: NodeCommand.kind)
        guard try operations(filter, page: PageRequest(limit: limit)).items.count < limit else {
            return refusal("busy", "\(limit) commands wait or run there already")
        }
        return nil
    }

    fileprivate func queue(
        _ command: NodeCommand, by requester: Requester, at time: Timestamp
    ) throws(StoreError) -> OrderedCommand {
        let operation = try insertOperation(
            OperationRecord(
                id: Identifier.make("op"), kind: NodeCommand.kind, node: command.node, parameters: command.parameters,
                requestedBy: requester.name, idempotencyKey: requester.idempotencyKey, createdAt: time))
        try audit(
            "node.command", command.node, by: requester, at: time,
            detail: [
                "operation": .string(operation.id), "command": .string(command.name),
                "resource": .string(command.resource), "arguments": command.arguments.audited,
            ])
        return OrderedCommand(operation: operation, created: true)
    }
}

extension JSONObject {
    /// For the audit log, which is kept for ever: whole if it is short, else its beginning.
    fileprivate var audited: JSONValue {
        let limit = 4096
        let text = text
        return text.utf8.count <= limit ? .object(self) : .string(String(text.prefix(limit / 4)) + "…")
    }
}
