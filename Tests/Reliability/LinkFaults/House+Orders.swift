import AgentCommands
import WireProtocol
import Model
import Sessions
import Store
import TestSupport
import Testing

extension House {
    /// Orders one piece of work and sees to it that it was done once, and that the books say so.
    func work(_ id: String, generation: Int64, at location: SourceLocation = #_sourceLocation) async throws {
        guard let controller else { throw SetupFailure("no controller runs") }
        let order = AgentCommand(
            id: id, resource: "thing/a", generation: generation, driver: "truth", action: "thing.ensure",
            deadline: .seconds(30), patience: .seconds(60))
        let result = try await controller.fleet.perform(order, on: AgentPlace.node)
        #expect(result.status == .succeeded && result.observed["did"] == .string(id), sourceLocation: location)
        #expect(driver.work[id] == 1, "done \(driver.work[id] ?? 0) times", sourceLocation: location)
        let record = try await controller.store.command(id)
        #expect(record?.state == .succeeded, sourceLocation: location)
    }
}
