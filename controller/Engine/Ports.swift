import AgentCommands
import ControllerCore
import Model
package import Sessions
package import Store
import WireProtocol

extension Fleet.Ledger {
    /// Records each command in the store before it is sent, and answers a known one with its recorded result.
    package static func store(_ store: Store) -> Fleet.Ledger {
        Fleet.Ledger { (command, node) throws(AgentError) in try await open(command, node, store).get() }
    }

    private static func open(
        _ command: AgentCommand, _ node: String, _ store: Store
    ) async -> Result<Fleet.Opening, AgentError> {
        do throws(StoreError) {
            guard let record = try await store.node(node) else { return .failure(.unknownNode(node)) }
            guard record.revokedAt == nil else { return .failure(.revoked(node: node)) }
            // Every command comes through here, whoever thought of it.
            guard record.approvedAt != nil || (command.isLook && command.secrets.isEmpty) else {
                return .failure(.unapproved(node: node))
            }
            let journal = try await store.agentJournal(of: node)
            var body = command.body
            body["journal"] = journal.map { .string($0) }
            let isNew = try await store.insertCommand(
                CommandRecord(
                    id: command.id, operation: command.trace, node: node, resource: command.resource, body: body,
                    createdAt: .now()))
            if isNew { return .success(Fleet.Opening(journal: journal)) }
            let known = try await store.command(command.id)
            return .success(
                Fleet.Opening(
                    result: known?.result.flatMap { CommandResult(stored: $0) },
                    journal: known?.body["journal"]?.asString))
        } catch {
            return .failure(.store("\(error)"))
        }
    }
}

extension AgentCommand {
    /// What the store keeps: neither arguments nor secrets. The agent's receipt has the digest of both, and a repeated
    /// command is made from its operation.
    fileprivate var body: JSONObject {
        ["generation": .integer(generation), "driver": .string(driver), "operation": .string(action)]
    }
}

extension AgentsPort {
    /// The real fleet.
    static func fleet(_ sessions: SessionManager, _ store: Store) -> AgentsPort {
        let fleet = sessions.fleet
        return AgentsPort(
            perform: { (command, node) throws(AgentError) in try await fleet.perform(command, on: node) },
            relay: { sender, source, receiver, target in
                await CommandRelay(fleet).run(
                    from: CommandRelay.End(sender, on: source), to: CommandRelay.End(receiver, on: target))
            },
            cancel: { command, reason in fleet.cancel(command, reason: reason) },
            input: { command, data, offset, end in fleet.input(data, at: offset, end: end, to: command) },
            resize: { command, rows, columns in fleet.resize(command, rows: rows, columns: columns) },
            grant: { command, bytes in fleet.grant(bytes, to: command) },
            connected: { Set(fleet.liveSessions.map(\.node)) },
            revoke: { node in sessions.revoke(node) },
            forget: { node in sessions.revocations.removed(node) },
            loads: { await store.measuredLoads(at: .now()) })
    }
}
