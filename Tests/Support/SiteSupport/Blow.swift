package import APIModels
import TestSupport
import Testing

/// `kill -9` in the middle of an order, at a moment that the gate makes certain.
package struct Blow: Sendable, CustomTestStringConvertible {
    package enum Victim: String, Sendable { case agent, controller, both }

    package var victim: Victim
    /// Whether the engine has done its work by then.
    package var moment: Gate.Moment

    package init(victim: Victim, moment: Gate.Moment) { (self.victim, self.moment) = (victim, moment) }

    /// The controller does not see whether the engine is done, so one of the moments is enough for it alone.
    package static let all = [
        Blow(victim: .agent, moment: .before), Blow(victim: .agent, moment: .after),
        Blow(victim: .controller, moment: .before), Blow(victim: .both, moment: .after),
    ]

    package var testDescription: String { "\(victim) killed \(moment) it" }

    /// As `fall`, for an operation that succeeds all the same.
    package func strike(
        _ site: Site, _ action: Action, _ order: () async throws -> AcceptedOperation
    ) async throws -> APIModels.Operation {
        let ended = try await fall(site, action, order)
        try await expectSuccess(of: ended, step: action.step, site)
        return ended
    }

    /// Kills while `action` of an engine is under way and starts again what was killed. Returns the operation's end.
    package func fall(
        _ site: Site, _ action: Action, _ order: () async throws -> AcceptedOperation
    ) async throws -> APIModels.Operation {
        let point = Gate.Point(engine: action.engine, action: action.name, moment: moment)
        try site.gate.close(point)
        defer { site.gate.open(point) }
        let operation = try await order().operation.id
        try await site.gate.reached(point)
        if victim != .controller { await site.agent.kill() }
        if victim != .agent { await site.controller.kill() }
        // What the dead have left behind goes on at the same time as their successors.
        site.gate.open(point)
        if victim != .controller { try site.agent.start() }
        if victim != .agent { try site.controller.start() }
        return try await site.front.ended(operation)
    }

    /// The step in the middle of which an agent died was begun again, under another command; one whose agent lived was not.
    private func expectSuccess(of operation: APIModels.Operation, step: String, _ site: Site) async throws {
        #expect(operation.state == "succeeded", "\(operation.error?.message ?? "")")
        let steps = operation.steps ?? []
        #expect(steps.allSatisfy { $0.state == "done" }, "\(steps)")
        for one in steps {
            let attempts = one.name == step && victim != .controller ? 2 : 1
            #expect(one.attempts == attempts, "step \(one.name)")
        }
        if victim != .controller {
            let log = try await site.front.log(operation.id)
            #expect(log.contains { $0.contains("the agent stopped while the command ran") }, "\(log)")
        }
    }
}

/// Something that an engine does for a step of a saga.
package struct Action: Sendable {
    package var step: String
    package var engine: Gate.Engine
    package var name: String

    package init(step: String, engine: Gate.Engine, name: String) {
        (self.step, self.engine, self.name) = (step, engine, name)
    }
}
