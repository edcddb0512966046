import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore
@testable import WordPressProduct

/// What every saga of a site has to stand.
@Suite struct SiteSagaTests {
    /// How it ends undisturbed, and after how many commands, calls and looks at the clock.
    private func reference(_ act: SiteAct) async throws -> Reference {
        var result: Reference?
        try await SiteScene.with(act) { scene in
            _ = try await scene.stage.run(scene.operation)
            let ended = try await scene.stage.outcome(scene.operation)
            #expect(ended.state == .succeeded, "\(ended.error?.message ?? "")")
            result = Reference(
                end: try await scene.now(), commands: scene.stage.cluster.state.withLock { $0.numbers.count },
                log: scene.stage.cluster.log, calls: scene.stage.outside.calls,
                looks: scene.stage.clock.state.withLock { $0.looks })
        }
        return try #require(result)
    }

    private struct Reference {
        var end: SiteState
        var commands: Int
        var log: [String]
        var calls: Int
        var looks: Int
    }

    /// Never something in between: what a termination leaves needs attention, and asking again completes it.
    private func expectDoneOrAsBefore(
        _ scene: SiteScene, _ act: SiteAct, _ reference: Reference, _ comment: Comment
    ) async throws {
        let ended = try await scene.stage.outcome(scene.operation)
        var found = try await scene.now()
        switch ended.state {
        case .succeeded:
            // What an auxiliary step was to do may be missing, and the operation says so.
            if ended.result?["warnings"]?.asArray?.isEmpty == false {
                found.guests = reference.end.guests
                (found.zones, found.backups) = (reference.end.zones, reference.end.backups)
            }
            #expect(found == reference.end, comment)
        case .needsAttention:
            #expect(!act.isUndone, comment)
            let again = try await scene.stage.operations.terminate(scene.service, by: SiteStage.by)
            let second = try await scene.stage.finish(again.operation.id)
            #expect(second.state == .succeeded, "\(comment): \(second.error?.message ?? "")")
            found = try await scene.now()
            #expect(
                found.guests.isEmpty && found.records.isEmpty && found.routes.isEmpty && found.held.isEmpty, comment)
        default:
            guard act.isUndone else { return expectSomethingOfOurs(found, scene, comment) }
            var expected = scene.before
            if ["provision", "restore-into"].contains(act.verb) { expected.state = .failed }
            // A disk does not shrink.
            for (vmid, guest) in found.guests { expected.guests[vmid]?.disk = guest.disk }
            // One that was cut off after it was made is not known to be whole.
            if act.verb == "back-up" { expected.backups = found.backups }
            #expect(found == expected, comment)
        }
    }

    /// It has no way back: nothing of the site is lost all the same.
    private func expectSomethingOfOurs(_ found: SiteState, _ scene: SiteScene, _ comment: Comment) {
        #expect(found.held == scene.before.held, comment)
        #expect(found.guests.count == scene.before.guests.count, comment)
    }

    @Test(arguments: SiteAct.all) func `undisturbed, it does what it says`(act: SiteAct) async throws {
        let end = try await reference(act).end
        let guest = end.guests.values.first
        switch act.verb {
        case "terminate":
            #expect(
                end.guests.isEmpty && end.records.isEmpty && end.routes.isEmpty && end.zones.isEmpty
                    && end.certificates.isEmpty)
            #expect(
                end.held.isEmpty && end.backups == 0 && end.listed == 0 && end.state == .terminated
                    && end.domains.isEmpty)
            return
        case "restore-into":
            let copy = try #require(end.guests[101])
            #expect(end.guests.count == 2 && end.guests[100]?.service == "another" && copy.service == "ours")
            #expect(copy.isRunning && copy.startsWithNode && copy.isInHA && copy.address == "192.0.2.11")
            #expect(copy.hostname == "jane-…" && copy.home == "https://jane-….sites.example.org")
            #expect(end.routes["jane-….sites.example.org"]?.thing == "http://192.0.2.11:80" && end.state == .running)
            return
        case "suspend":
            #expect(guest?.isRunning == false && guest?.startsWithNode == false && end.state == .suspended)
            return
        case "upgrade":
            #expect(guest?.memory == 4096 && guest?.cores == 2 && guest?.disk == 40 && end.memory == 4 << 30)
            #expect(guest?.isRunning == act.before.allSatisfy { $0.verb != "suspend" })
            return
        case "snapshot": #expect(guest?.snapshots.keys.sorted() == ["before", "initial"])
        case "remove-snapshot": #expect(guest?.snapshots.keys.sorted() == ["initial"])
        case "restore": #expect(guest?.snapshots.isEmpty == true)
        case "move": #expect(guest?.node == "nod_3" && end.node == "nod_3")
        case "back-up": #expect(end.backups == 1 && end.listed == 1)
        case "remove-backup": #expect(end.backups == 0 && end.listed == 0)
        case "add-domain": #expect(end.domains == ["shop.example.net awaiting_proof"])
        case "check-domain":
            #expect(end.domains == ["shop.example.net active"] && end.zones == ["shop.example.net"])
            #expect(end.routes.keys.sorted() == ["jane.sites.example.org", "shop.example.net"])
            #expect(end.certificates == [["jane.sites.example.org"], ["shop.example.net", "www.shop.example.net"]])
            #expect(guest?.home == "https://shop.example.net")
            return
        case "remove-domain":
            #expect(end.domains.isEmpty && end.routes.count == 1 && end.zones.isEmpty && end.certificates.count == 1)
            if act.before.contains(where: { $0.verb == "suspend" }) {
                #expect(guest?.isRunning == false && guest?.startsWithNode == false && end.state == .suspended)
                return
            }
        default: break
        }
        #expect(guest?.isRunning == true && guest?.startsWithNode == true && guest?.isInHA == true)
        #expect(guest?.home == "https://jane.sites.example.org" && guest?.password != nil)
        #expect(end.state == .running)
        #expect(end.records["A jane.sites.example.org"]?.thing == "203.0.113.10")
        #expect(end.routes["jane.sites.example.org"]?.thing == "http://192.0.2.10:80")
    }

    @Test(arguments: SiteAct.all, [Fault.answerLost, .unreachable, .interruptedBefore, .interruptedAfter])
    func `a link that drops or an agent that dies changes nothing about the end`(act: SiteAct, fault: Fault)
        async throws
    {
        let reference = try await reference(act)
        for number in stride(from: 1, through: reference.commands, by: 1) {
            try await SiteScene.with(act) { scene in
                scene.stage.cluster.change { $0.faults = [number: fault] }
                let ended = try await scene.stage.finish(scene.operation)
                #expect(ended.state == .succeeded, "\(fault) at \(number): \(ended.error?.message ?? "")")
                var found = try await scene.now()
                // A backup that was cut off may be there all the same; it is not known to be whole.
                if act.verb == "back-up", fault == .interruptedAfter { found.backups = reference.end.backups }
                #expect(found == reference.end, "\(fault) at \(number)")
            }
        }
    }

    @Test(arguments: SiteAct.all, [Fault.refused, .failsBefore, .failsAfter])
    func `failing at any command, it ends done or as it was`(act: SiteAct, fault: Fault) async throws {
        let reference = try await reference(act)
        for number in stride(from: 1, through: reference.commands, by: 1) {
            try await SiteScene.with(act) { scene in
                scene.stage.cluster.change { $0.faults = [number: fault] }
                try await scene.stage.finish(scene.operation)
                try await expectDoneOrAsBefore(scene, act, reference, "\(fault) at \(number)")
            }
        }
    }

    @Test(arguments: SiteAct.all, [OutsideFault.busy, .unreachable, .answerLost, .twice])
    func `whatever happens on the way to those outside, it ends the same`(act: SiteAct, fault: OutsideFault)
        async throws
    {
        let reference = try await reference(act)
        for number in stride(from: 1, through: reference.calls, by: 1) {
            try await SiteScene.with(act) { scene in
                scene.stage.outside.change { $0.faults = [number: fault] }
                let ended = try await scene.stage.finish(scene.operation)
                #expect(ended.state == .succeeded, "\(fault) at \(number): \(ended.error?.message ?? "")")
                #expect(try await scene.now() == reference.end, "\(fault) at \(number)")
            }
        }
    }

    @Test(arguments: SiteAct.all)
    func `refused by somebody outside, it ends done or as it was`(act: SiteAct) async throws {
        let reference = try await reference(act)
        for number in stride(from: 1, through: reference.calls, by: 1) {
            try await SiteScene.with(act) { scene in
                scene.stage.outside.change { $0.faults = [number: .refuses] }
                try await scene.stage.finish(scene.operation)
                try await expectDoneOrAsBefore(scene, act, reference, "refused at \(number)")
            }
        }
    }

    @Test(arguments: SiteAct.all)
    func `stopped and taken up at each moment, it ends the same, with each command once`(act: SiteAct) async throws {
        let reference = try await reference(act)
        for moment in 1...reference.looks {
            try await SiteScene.with(act) { scene in
                _ = try await scene.stage.run(scene.operation, stopAt: moment)
                try await scene.stage.finish(scene.operation)
                #expect(try await scene.now() == reference.end, "stopped at \(moment)")
                #expect(scene.stage.cluster.log == reference.log, "stopped at \(moment)")
            }
        }
    }

    @Test(arguments: SiteAct.undone)
    func `called off at each moment, it ends cancelled with nothing changed, or done`(act: SiteAct) async throws {
        let reference = try await reference(act)
        for moment in 1...reference.looks {
            try await SiteScene.with(act) { scene in
                _ = try await scene.stage.run(scene.operation, stopAt: moment)
                _ = try await scene.stage.operations.cancel(scene.operation, by: SiteStage.by)
                if try await !scene.stage.outcome(scene.operation).state.isFinished {
                    try await scene.stage.finish(scene.operation)
                }
                try await expectDoneOrAsBefore(scene, act, reference, "called off at \(moment)")
            }
        }
    }
}
