import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore
@testable import HelmStoreProduct

/// What every saga of a shop has to stand.
@Suite struct ShopSagaTests {
    /// How it ends undisturbed, and after how many commands and looks at the clock.
    private func reference(_ act: ShopAct) async throws -> Reference {
        var result: Reference?
        try await ShopScene.with(act) { scene in
            _ = try await scene.stage.run(scene.operation)
            let ended = try await scene.stage.outcome(scene.operation)
            #expect(ended.state == .succeeded, "\(ended.error?.message ?? "")")
            result = Reference(
                end: try await scene.now(), commands: scene.stage.cluster.state.withLock { $0.numbers.count },
                log: scene.stage.cluster.log,
                looks: scene.stage.clock.state.withLock { $0.looks })
        }
        return try #require(result)
    }

    private struct Reference {
        var end: ShopState
        var commands: Int
        var log: [String]
        var looks: Int
    }

    /// Never something in between: what a termination leaves needs attention, and asking again completes it.
    private func expectDoneOrAsBefore(
        _ scene: ShopScene, _ act: ShopAct, _ reference: Reference, _ comment: Comment
    ) async throws {
        let ended = try await scene.stage.outcome(scene.operation)
        var found = try await scene.now()
        switch ended.state {
        case .succeeded:
            // What an auxiliary step was to do may be missing, and the operation says so.
            if ended.result?["warnings"]?.asArray?.isEmpty == false { found.spaces = reference.end.spaces }
            #expect(found == reference.end, comment)
        case .needsAttention:
            #expect(!act.isUndone, comment)
            let again = try await scene.stage.operations.terminate(scene.service, by: ShopStage.by)
            let second = try await scene.stage.finish(again.operation.id)
            #expect(second.state == .succeeded, "\(comment): \(second.error?.message ?? "")")
            found = try await scene.now()
            #expect(
                found.spaces.isEmpty && found.held.isEmpty, comment)
        default:
            guard act.isUndone else { return try await expectSomethingOfOurs(found, scene, comment) }
            var expected = scene.before
            if act.verb == "provision" { expected.state = .failed }
            // What a job has done is done; going back takes the job away.
            expected.deeds = found.deeds
            // A backup is listed as soon as it is made, and not any more before it is removed.
            if ["back-up", "remove-backup"].contains(act.verb) { expected.backups = found.backups }
            #expect(found == expected, comment)
        }
    }

    /// It has no way back: nothing of the shop is lost all the same, and it can be removed whole.
    private func expectSomethingOfOurs(_ found: ShopState, _ scene: ShopScene, _ comment: Comment) async throws {
        #expect(found.held == scene.before.held || scene.before.held.isEmpty, comment)
        #expect(found.spaces.count >= scene.before.spaces.count, comment)
        let gone = try await scene.stage.operations.terminate(scene.service, by: ShopStage.by)
        try await scene.stage.finish(gone.operation.id)
        let end = try await scene.now()
        #expect(end.spaces.isEmpty && end.held.isEmpty, comment)
    }

    @Test(arguments: ShopAct.all) func `undisturbed, it does what it says`(act: ShopAct) async throws {
        let end = try await reference(act).end
        let values = end.spaces.values.first?.release?.values
        switch act.verb {
        case "terminate":
            #expect(end.spaces.isEmpty && end.held.isEmpty && end.state == .terminated)
            return
        case "suspend": #expect(values?["mode"] == "suspended" && end.state == .suspended)
        case "upgrade":
            #expect(values?["storage"]?["files"] == "20Gi" && values?["woocommerce"]?["version"] == "9.9.5")
            let isSuspended = act.before.contains { $0.verb == "suspend" }
            #expect(values?["mode"] == (isSuspended ? "suspended" : "running"))
        case "back-up", "restore":
            let isSuspended = act.before.contains { $0.verb == "suspend" }
            #expect(values?["mode"] == (isSuspended ? "suspended" : "running"))
            #expect(end.state == (isSuspended ? .suspended : .running))
        default: #expect(values?["mode"] == "running" && end.state == .running)
        }
        if act.verb == "back-up" { #expect(end.deeds == ["backup"] && end.backups == 1) }
        if act.verb == "remove-backup" { #expect(end.deeds == ["backup", "remove"] && end.backups == 0) }
        if act.verb == "restore" { #expect(end.deeds == ["backup", "restore"] && end.backups == 1) }
        let space = try #require(end.spaces.values.first)
        #expect(
            end.spaces.count == 1 && space.hasSecret && space.service == "ours" && space.release?.isDeployed == true)
        #expect(values?["host"] == "shoes.shops.example.org" && values?["task"]?["kind"] == "none")
        #expect(values?["credentials"]?["existing"] == "store-credentials")
    }

    @Test(arguments: ShopAct.all, [Fault.answerLost, .unreachable, .interruptedBefore, .interruptedAfter])
    func `a link that drops or an agent that dies changes nothing about the end`(act: ShopAct, fault: Fault)
        async throws
    {
        let reference = try await reference(act)
        for number in stride(from: 1, through: reference.commands, by: 1) {
            try await ShopScene.with(act) { scene in
                scene.stage.cluster.change { $0.faults = [number: fault] }
                let ended = try await scene.stage.finish(scene.operation)
                #expect(ended.state == .succeeded, "\(fault) at \(number): \(ended.error?.message ?? "")")
                #expect(try await scene.now() == reference.end, "\(fault) at \(number)")
            }
        }
    }

    @Test(arguments: ShopAct.all, [Fault.refused, .failsBefore, .failsAfter])
    func `failing at any command, it ends done or as it was`(act: ShopAct, fault: Fault) async throws {
        let reference = try await reference(act)
        for number in stride(from: 1, through: reference.commands, by: 1) {
            try await ShopScene.with(act) { scene in
                scene.stage.cluster.change { $0.faults = [number: fault] }
                try await scene.stage.finish(scene.operation)
                try await expectDoneOrAsBefore(scene, act, reference, "\(fault) at \(number)")
            }
        }
    }

    @Test(arguments: ShopAct.all)
    func `stopped and taken up at each moment, it ends the same, with each command once`(act: ShopAct) async throws {
        let reference = try await reference(act)
        for moment in 1...reference.looks {
            try await ShopScene.with(act) { scene in
                _ = try await scene.stage.run(scene.operation, stopAt: moment)
                try await scene.stage.finish(scene.operation)
                #expect(try await scene.now() == reference.end, "stopped at \(moment)")
                #expect(scene.stage.cluster.log == reference.log, "stopped at \(moment)")
            }
        }
    }

    @Test(arguments: ShopAct.undone)
    func `called off at each moment, it ends cancelled with nothing changed, or done`(act: ShopAct) async throws {
        let reference = try await reference(act)
        for moment in 1...reference.looks {
            try await ShopScene.with(act) { scene in
                _ = try await scene.stage.run(scene.operation, stopAt: moment)
                _ = try await scene.stage.operations.cancel(scene.operation, by: ShopStage.by)
                if try await !scene.stage.outcome(scene.operation).state.isFinished {
                    try await scene.stage.finish(scene.operation)
                }
                try await expectDoneOrAsBefore(scene, act, reference, "called off at \(moment)")
            }
        }
    }
}
