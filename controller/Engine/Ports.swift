import ControllerCore
import Model
package import Sessions
package import Store
import WireProtocol

extension Fleet.Ledger {
    /// Records each order in the store before it is sent, and answers a known one with its recorded result.
    package static func store(_ store: Store) -> Fleet.Ledger {
        Fleet.Ledger { (order, node) throws(FleetError) in try await open(order, node, store).get() }
    }

    private static func open(
        _ order: AgentOrder, _ node: String, _ store: Store
    ) async -> Result<Fleet.Opening, FleetError> {
        do throws(StoreError) {
            guard let record = try await store.node(node) else { return .failure(.unknownNode(node)) }
            guard record.revokedAt == nil else { return .failure(.revoked(node: node)) }
            // Every order comes through here, whoever thought of it.
            guard record.approvedAt != nil || (order.isLook && order.secrets.isEmpty) else {
                return .failure(.unapproved(node: node))
            }
            let journal = try await store.agentJournal(of: node)
            var body = order.body
            body["journal"] = journal.map { .string($0) }
            let isNew = try await store.insertCommand(
                CommandRecord(
                    id: order.id, operation: order.trace, node: node, resource: order.resource, body: body,
                    createdAt: .now()))
            if isNew { return .success(Fleet.Opening(journal: journal)) }
            let known = try await store.command(order.id)
            return .success(
                Fleet.Opening(
                    result: known?.result.flatMap { CommandResult(stored: $0) },
                    journal: known?.body["journal"]?.asString))
        } catch {
            return .failure(.store("\(error)"))
        }
    }
}

extension AgentOrder {
    /// What the store keeps: neither arguments nor secrets. The agent's receipt has the digest of both, and a repeated
    /// order is made from its operation.
    fileprivate var body: JSONObject {
        ["generation": .integer(generation), "driver": .string(driver), "operation": .string(operation)]
    }
}

extension AgentsPort {
    /// The real fleet.
    static func fleet(_ sessions: SessionManager, _ store: Store) -> AgentsPort {
        let fleet = sessions.fleet
        return AgentsPort(
            perform: { (call, node) throws(AgentError) in
                do throws(FleetError) {
                    return try await fleet.perform(
                        AgentOrder(call), on: node,
                        observer: CommandObserver(
                            progress: { call.onProgress($0.message, $0.fraction) },
                            output: { call.onOutput?($0) }, grantsCredit: call.onOutput != nil))
                } catch {
                    throw AgentError(error)
                }
            },
            relay: { sender, source, receiver, target in
                let outcome = await CommandRelay(fleet).run(
                    from: CommandRelay.End(AgentOrder(sender), on: source),
                    to: CommandRelay.End(AgentOrder(receiver), on: target),
                    progress: { sender.onProgress($0.message, $0.fraction) })
                return RelayOutcome(
                    sender: outcome.sender?.mapError { AgentError($0) },
                    receiver: outcome.receiver.mapError { AgentError($0) }, bytes: outcome.bytes,
                    broken: outcome.broken, isComplete: outcome.succeeded)
            },
            cancel: { command, reason in fleet.cancel(command, reason: reason) },
            input: { command, data, offset, end in
                CommandInputAnswer(fleet.input(data, at: offset, end: end, to: command))
            },
            resize: { command, rows, columns in fleet.resize(command, rows: rows, columns: columns) },
            grant: { command, bytes in fleet.grant(bytes, to: command) },
            connected: { Set(fleet.liveSessions.map(\.node)) },
            revoke: { node in sessions.revoke(node) },
            forget: { node in sessions.revocations.removed(node) },
            loads: { await store.measuredLoads(at: .now()) })
    }
}

extension AgentOrder {
    init(_ call: AgentCall) {
        self.init(
            id: call.id, resource: call.resource, generation: call.generation, driver: call.driver,
            operation: call.operation, arguments: call.arguments, secrets: call.secrets, deadline: call.deadline,
            trace: call.trace, by: call.by, isLook: call.isLook)
    }
}

extension AgentError {
    fileprivate init(_ error: FleetError) {
        self.init(retryable: error.isRetryable, code: error.code, message: "\(error)")
    }
}

extension FleetError {
    fileprivate var code: String {
        switch self {
        case .unknownNode: "unknown_node"
        case .revoked: "revoked"
        case .unapproved: "not_approved"
        case .unreachable: "unreachable"
        case .noAnswer: "no_answer"
        case .overload: "overload"
        case .inFlight: "in_flight"
        case .abandoned: "abandoned"
        case .store: "store"
        }
    }
}

extension CommandInputAnswer {
    fileprivate init(_ answer: InputAnswer) {
        self =
            switch answer {
            case .taken(let place): .taken(upTo: place)
            case .full: .full
            case .gap(let place): .gap(from: place)
            case .ended: .ended
            case .unknown: .unknown
            }
    }
}
