import Model
import Placement
import Saga
import Store
import Testing
import WireProtocol

@testable import ControllerCore

/// What every saga has to stand, whatever it does.
@Suite struct SagaHarnessTests {
    @Test(arguments: Scenario.all)
    func `undisturbed, it does what it says, with each command once`(scenario: Scenario) async throws {
        try await Scene.with(scenario) { scene in
            let operation = try await scene.stage.finish(scene.operation)
            #expect(operation.state == .succeeded)
            #expect(operation.error == nil)
            #expect(scene.stage.node.log.count == scenario.commands)
            let service = try await scene.stage.service(scene.service)
            let belongings = scene.stage.node.belongings
            let container = belongings.containers[scene.service]
            let dataset = belongings.datasets["tank/innkeeper/\(scene.service)"]
            switch scenario.kind.name {
            case "terminate":
                #expect(belongings.containers.isEmpty && belongings.datasets.isEmpty)
                let books = try await scene.stage.books(scene.service)
                #expect(books.state == .terminated && books.names.isEmpty && books.reservation == nil)
            case "upgrade":
                #expect(container?.memory == 256 * Stage.mebi && dataset?.quota == 512 * Stage.mebi)
                #expect(service.state == scene.booksBefore.state && service.plan == "large")
                #expect(try await scene.stage.books(scene.service).reservation?.memoryBytes == 256 * Stage.mebi)
            default:
                #expect(container?.running == (scenario.kind != .suspend))
                #expect(service.state == scenario.kind.succeeded(.pending))
                #expect(dataset?.quota == 100 * Stage.mebi && dataset?.snapshots == ["initial"])
            }
            #expect(service.generation == operation.position)
        }
    }

    @Test(arguments: Scenario.undoable, [Fault.refused, .failsBefore, .failsAfter])
    func `failing at each step, it leaves everything as it was`(scenario: Scenario, fault: Fault) async throws {
        for number in 1...scenario.commands {
            try await Scene.with(scenario) { scene in
                scene.stage.node.change { $0.faults = [number: [fault]] }
                let operation = try await scene.stage.finish(scene.operation)
                if scenario.auxiliary.contains(number) {
                    #expect(operation.state == .succeeded)
                    #expect(operation.result?["warnings"]?.asArray?.count == 1)
                    return
                }
                #expect(operation.state == .failed, "command \(number)")
                #expect(operation.error != nil)
                try await expectNothingChanged(scene, scenario, "\(fault) at command \(number)")
            }
        }
    }

    @Test func `a termination that fails needs attention, and asking again completes it`() async throws {
        for scenario in Scenario.all where scenario.kind == .terminate {
            for number in 1...scenario.commands {
                try await Scene.with(scenario) { scene in
                    scene.stage.node.change { $0.faults = [number: [.failsBefore]] }
                    let first = try await scene.stage.finish(scene.operation)
                    #expect(first.state == .needsAttention)
                    #expect(first.result?["leftovers"]?.asArray?.isEmpty == false)
                    let books = try await scene.stage.books(scene.service)
                    #expect(books.state == .terminating && books.reservation != nil && books.names.count == 2)
                    let again = try await scene.stage.operations.terminate(scene.service, by: Stage.by)
                    #expect(try await scene.stage.finish(again.operation.id).state == .succeeded)
                    #expect(scene.stage.node.belongings.datasets.isEmpty)
                    #expect(scene.stage.node.belongings.containers.isEmpty)
                    #expect(try await scene.stage.books(scene.service).names.isEmpty)
                }
            }
        }
    }

    @Test(arguments: Scenario.all)
    func `stopped and taken up at each moment, it ends the same, with each command once`(scenario: Scenario)
        async throws
    {
        let (expected, looks, log) = try await reference(scenario, failing: nil)
        for moment in 1...looks {
            try await Scene.with(scenario) { scene in
                _ = try await scene.stage.run(scene.operation, stopAt: moment)
                try await scene.stage.finish(scene.operation)
                #expect(try await scene.end() == expected, "stopped at \(moment) of \(looks)")
                #expect(scene.stage.node.log == log, "stopped at \(moment) of \(looks)")
            }
        }
    }

    @Test(arguments: Scenario.undoable)
    func `stopped and taken up at each moment of going back, it ends the same`(scenario: Scenario) async throws {
        let last = (1...scenario.commands).last { !scenario.auxiliary.contains($0) } ?? 1
        let (expected, looks, log) = try await reference(scenario, failing: last)
        #expect(expected.state == .failed)
        for moment in 1...looks {
            try await Scene.with(scenario) { scene in
                scene.stage.node.change { $0.faults = [last: [.failsAfter]] }
                _ = try await scene.stage.run(scene.operation, stopAt: moment)
                try await scene.stage.finish(scene.operation)
                #expect(try await scene.end() == expected, "stopped at \(moment) of \(looks)")
                #expect(scene.stage.node.log == log, "stopped at \(moment) of \(looks)")
            }
        }
    }

    @Test(arguments: Scenario.all, [Fault.answerLost, .unreachable, .interruptedBefore, .interruptedAfter])
    func `a link that drops or an agent that dies at each command changes nothing about the end`(
        scenario: Scenario, fault: Fault
    ) async throws {
        let (expected, _, log) = try await reference(scenario, failing: nil)
        for number in 1...scenario.commands {
            try await Scene.with(scenario) { scene in
                scene.stage.node.change { $0.faults = [number: [fault]] }
                try await scene.stage.finish(scene.operation)
                #expect(try await scene.end() == expected, "\(fault) at \(number)")
                // Only an interrupted command comes again under another id.
                let again = fault == .interruptedBefore || fault == .interruptedAfter ? 1 : 0
                #expect(scene.stage.node.log.count == log.count + again, "\(fault) at \(number)")
            }
        }
    }

    @Test(arguments: Scenario.all)
    func `doing each step twice is doing it once`(scenario: Scenario) async throws {
        let (expected, _, _) = try await reference(scenario, failing: nil)
        try await Scene.with(scenario) { scene in
            let steps = try await steps(scene, scenario)
            var outputs: [String: JSONValue] = [:]
            for step in steps {
                for attempt in 1...2 {
                    outputs[step.policy.name] = try await step.act(call(step, attempt, false, outputs))
                }
            }
            #expect(scene.stage.node.belongings.renamed(from: scene.service) == expected.belongings)
            let books = try await scene.stage.books(scene.service).renamed(from: scene.service)
            #expect(books.names == expected.books.names && books.reservation == expected.books.reservation)
        }
    }

    @Test(arguments: Scenario.undoable)
    func `undoing each step twice is undoing it once`(scenario: Scenario) async throws {
        try await Scene.with(scenario) { scene in
            let steps = try await steps(scene, scenario)
            var outputs: [String: JSONValue] = [:]
            for step in steps { outputs[step.policy.name] = try await step.act(call(step, 1, false, outputs)) }
            for step in steps.reversed() {
                for attempt in 1...2 { try await step.undo(call(step, attempt, true, outputs)) }
            }
            guard scenario.kind != .repair else { return }
            var after = scene.stage.node.belongings
            after.images = scene.before.images
            #expect(after == scene.before)
            let books = try await scene.stage.books(scene.service)
            #expect(books.names == scene.booksBefore.names && books.reservation == scene.booksBefore.reservation)
        }
    }

    @Test(arguments: Scenario.undoable)
    func `called off at each moment, it ends cancelled with nothing changed, or done`(scenario: Scenario) async throws {
        let (done, looks, _) = try await reference(scenario, failing: nil)
        for moment in 1...looks {
            try await Scene.with(scenario) { scene in
                _ = try await scene.stage.run(scene.operation, stopAt: moment)
                _ = try await scene.stage.operations.cancel(scene.operation, by: Stage.by)
                if try await scene.stage.outcome(scene.operation).state.isFinished == false {
                    try await scene.stage.finish(scene.operation)
                }
                let operation = try await scene.stage.outcome(scene.operation)
                if operation.state == .succeeded {
                    #expect(try await scene.end() == done)
                } else {
                    #expect(operation.state == .cancelled)
                    try await expectNothingChanged(scene, scenario, "called off at \(moment)")
                }
            }
        }
    }

    @Test(arguments: Scenario.undoable.filter { $0.kind != .repair })
    func `when going back fails, it needs attention and says what is left`(scenario: Scenario) async throws {
        try await Scene.with(scenario) { scene in
            let last = (1...scenario.commands).last { !scenario.auxiliary.contains($0) } ?? 1
            scene.stage.node.change { $0.faults = [last: [.failsAfter], last + 1: [.failsBefore]] }
            let operation = try await scene.stage.finish(scene.operation)
            #expect(operation.state == .needsAttention)
            #expect(operation.error?.message.contains("left over or unknown") == true)
            let service = try await scene.stage.service(scene.service)
            #expect(service.state == .failed)
            let end = try await scene.stage.operations.terminate(scene.service, by: Stage.by)
            #expect(try await scene.stage.finish(end.operation.id).state == .succeeded)
            #expect(scene.stage.node.belongings.containers.isEmpty && scene.stage.node.belongings.datasets.isEmpty)
        }
    }

    // MARK: the common part

    private func reference(_ scenario: Scenario, failing: Int?) async throws -> (end: End, looks: Int, log: [String]) {
        var result: (End, Int, [String])?
        try await Scene.with(scenario) { scene in
            if let failing { scene.stage.node.change { $0.faults = [failing: [.failsAfter]] } }
            _ = try await scene.stage.run(scene.operation)
            result = (try await scene.end(), scene.stage.looks, scene.stage.node.log)
        }
        return try #require(result)
    }

    private func expectNothingChanged(_ scene: Scene, _ scenario: Scenario, _ comment: Comment) async throws {
        var after = scene.stage.node.belongings
        // An image is a cache that services share.
        after.images = scene.before.images
        // Repair has nothing to go back to: a container that was brought back stays.
        if scenario.kind == .repair { after.containers = scene.before.containers }
        #expect(after == scene.before, comment)
        var books = try await scene.stage.books(scene.service)
        if scenario.kind == .provision {
            #expect(books.state == .failed, comment)
            books.state = scene.booksBefore.state
        }
        #expect(books == scene.booksBefore, comment)
    }

    private func steps(_ scene: Scene, _ scenario: Scenario) async throws -> [BoundStep] {
        let (operation, service) = (
            try await scene.stage.outcome(scene.operation), try await scene.stage.service(scene.service)
        )
        let scope = ServiceScope(
            dependencies: scene.stage.dependencies, rules: .standard, operation: operation, verb: scenario.kind,
            service: service,
            note: { _, _ in })
        let verb = try #require(Catalogue.tested.verb(scenario.kind.name, of: service))
        return try #require(try verb.saga(revision: nil, scope: scope)).steps
    }

    private func call(
        _ step: BoundStep, _ attempt: Int, _ unwinding: Bool, _ outputs: [String: JSONValue]
    ) -> StepCall {
        StepCall(
            operation: "op_x", step: step.policy.name,
            command: "op_x.\(step.policy.name)\(unwinding ? ".undo" : "").\(attempt)", attempt: attempt,
            unwinding: unwinding, deadline: .seconds(10), context: [:], outputs: outputs)
    }
}
