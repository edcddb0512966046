import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore
@testable import SiteProduct

/// What every saga of a site has to stand.
@Suite struct PanelSagaTests {
    /// How it ends undisturbed, and after how many commands, calls and looks at the clock.
    private func reference(_ act: PanelAct) async throws -> Reference {
        var result: Reference?
        try await PanelScene.with(act) { scene in
            _ = try await scene.stage.run(scene.operation)
            let ended = try await scene.stage.outcome(scene.operation)
            #expect(ended.state == .succeeded, "\(ended.error?.message ?? "")")
            result = Reference(
                end: try await scene.now(), commands: scene.stage.panels.state.withLock { $0.numbers.count },
                log: scene.stage.panels.log, calls: scene.stage.outside.calls,
                looks: scene.stage.clock.state.withLock { $0.looks })
        }
        return try #require(result)
    }

    private struct Reference {
        var end: PanelState
        var commands: Int
        var log: [String]
        var calls: Int
        var looks: Int
    }

    /// What can come later may be missing at the end; then the service says so, and it is tried again.
    private func completed(_ found: PanelState, by reference: Reference) -> PanelState {
        var found = found
        let end = reference.end
        if found.wishes.contains("certificate"), found.address["certificate_reason"]?.asString?.isEmpty == false {
            for key in ["certificate", "certificate_reason", "url"] { found.address[key] = end.address[key] }
            for key in found.sites.keys { found.sites[key]?.names = end.sites[key]?.names ?? [] }
        }
        if found.wishes.contains("analytics") {
            (found.address["analytics_id"], found.counted) = (end.address["analytics_id"], end.counted)
        }
        found.wishes = end.wishes
        // A name waits for its certificate, and a certificate for all its names.
        found.domains = found.domains.map { $0.replacing(" certified", with: " active") }
        if found.domains == end.domains, !found.domains.isEmpty {
            for key in found.sites.keys { found.sites[key]?.names = end.sites[key]?.names ?? [] }
        }
        return found
    }

    /// Never something in between: what a termination leaves needs attention, and asking again completes it.
    private func expectDoneOrAsBefore(
        _ scene: PanelScene, _ act: PanelAct, _ reference: Reference, _ comment: Comment
    ) async throws {
        let ended = try await scene.stage.outcome(scene.operation)
        var found = try await scene.now()
        switch ended.state {
        case .succeeded:
            // What was counted may stay where nobody can remove it, and the operation says so.
            if ended.result?["warnings"]?.asArray?.isEmpty == false {
                found.counted = reference.end.counted
                found.backups = reference.end.backups
                for key in found.sites.keys { found.sites[key]?.names = reference.end.sites[key]?.names ?? [] }
            }
            #expect(completed(found, by: reference) == reference.end, comment)
        case .needsAttention:
            #expect(!act.isUndone, comment)
            let again = try await scene.stage.operations.terminate(scene.service, by: PanelStage.by)
            let second = try await scene.stage.finish(again.operation.id)
            #expect(second.state == .succeeded, "\(comment): \(second.error?.message ?? "")")
            found = try await scene.now()
            #expect(found.sites.isEmpty && found.held.isEmpty, comment)
        default:
            guard act.isUndone else { return #expect(found.held == scene.before.held, comment) }
            var expected = scene.before
            // What was only read anew, or given another password, stays so; so does a certificate of more names.
            for (key, site) in found.sites where act.verb != "provision" {
                expected.sites[key]?.restarts = site.restarts
                expected.sites[key]?.password = site.password
                expected.sites[key]?.names = site.names
                guard act.verb == "restore" else { continue }
                expected.sites[key]?.files = site.files
                expected.sites[key]?.databases = site.databases
            }
            // One that was cut off after it was made is not known to be whole, and what a rebuild has kept stays until it is done.
            if ["back-up", "upgrade"].contains(act.verb) { expected.backups = found.backups }
            if act.verb == "provision" { expected.state = .failed }
            // What was there before keeps the certificate that it has got.
            for (key, site) in found.sites where act.plan == "taking" { expected.sites[key]?.names = site.names }
            #expect(found == expected, comment)
        }
    }

    @Test(arguments: PanelAct.all) func `undisturbed, it does what it says`(act: PanelAct) async throws {
        let end = try await reference(act).end
        let site = end.sites.values.first { $0.service == "ours" }
        switch act.verb {
        case "terminate":
            #expect(end.backups == 0 && end.listed == 0)
            #expect(end.sites.isEmpty && end.held.isEmpty && end.counted.isEmpty && end.state == .terminated)
            #expect(end.address.isEmpty)
            return
        case "suspend":
            #expect(site?.isSuspended == true && end.state == .suspended)
        default: #expect(site?.isSuspended == false && end.state == .running)
        }
        switch act.verb {
        case "add-database":
            #expect(site?.databases == ["exampleorg_shop": ""])
            #expect(end.databases == [["label": "shop", "database": "exampleorg_shop", "user": "exampleorg_shop"]])
            #expect(end.held.contains("site-database nod_1 exampleorg_shop"))
        case "remove-database":
            #expect(site?.databases.isEmpty == true && end.databases.isNull)
            #expect(!end.held.contains { $0.hasPrefix("site-database") })
        case "check-domain", "repair":
            let names = ["shop.example.net", "www.shop.example.net"]
            #expect(site?.aliases == names && end.domains == ["shop.example.net active"])
            #expect(site?.names == (["example.org", "www.example.org"] + names).sorted())
            return
        case "back-up": #expect(end.backups == 1 && end.listed == 1)
        case "restore": #expect(site?.files == "" && site?.databases == ["exampleorg_shop": ""])
        case "remove-backup": #expect(end.backups == 0 && end.listed == 0)
        case "upgrade":
            #expect(end.plan == act.plan && end.backups == 0 && site?.files == "work")
            if act.plan == "php84" {
                #expect(site?.version == "8.4" && site?.databases == ["exampleorg_shop": "rows"])
                #expect(site?.hasPassword == true)
            }
        case "remove-domain": #expect(site?.aliases.isEmpty == true && end.domains.isEmpty)
        case "restart": #expect(site?.restarts == 1)
        case "reset-password": #expect(site?.password == "another12345")
        default: break
        }
        #expect(site?.user == "user_exampleorg" && end.address["user"] == "user_exampleorg")
        #expect(end.address["domain"] == "example.org" && end.address["url"] == "https://example.org")
        #expect(end.address["doc_root"] == "/home/user_exampleorg/htdocs/example.org")
        #expect(end.address["certificate"] == "active" && end.address["certificate_reason"] == nil)
        #expect(site?.names == ["example.org", "www.example.org"] && end.wishes.isEmpty)
        if act.plan == "basic" { #expect(end.address["analytics_id"] == "7" && end.counted == ["example.org"]) }
        if act.plan == "node" { #expect(site?.port == 21_000 && end.address["port"] == 21_000) }
        if act.plan == "taking" {
            #expect(site?.type == "php" && site?.nonce == "adopted" && site?.hasPassword == false)
        } else {
            #expect(end.sites.count == 1 && site?.hasPassword == true && site?.nonce == "made")
        }
    }

    @Test(arguments: PanelAct.all, [Fault.answerLost, .unreachable, .interruptedBefore, .interruptedAfter])
    func `a link that drops or an agent that dies changes nothing about the end`(act: PanelAct, fault: Fault)
        async throws
    {
        let reference = try await reference(act)
        for number in stride(from: 1, through: reference.commands, by: 1) {
            try await PanelScene.with(act) { scene in
                scene.stage.panels.change { $0.faults = [number: fault] }
                let ended = try await scene.stage.finish(scene.operation)
                #expect(ended.state == .succeeded, "\(fault) at \(number): \(ended.error?.message ?? "")")
                #expect(try await scene.now() == reference.end, "\(fault) at \(number)")
            }
        }
    }

    @Test(arguments: PanelAct.all, [Fault.refused, .failsBefore, .failsAfter])
    func `failing at any command, it ends done or as it was`(act: PanelAct, fault: Fault) async throws {
        let reference = try await reference(act)
        for number in stride(from: 1, through: reference.commands, by: 1) {
            try await PanelScene.with(act) { scene in
                scene.stage.panels.change { $0.faults = [number: fault] }
                try await scene.stage.finish(scene.operation)
                try await expectDoneOrAsBefore(scene, act, reference, "\(fault) at \(number)")
            }
        }
    }

    @Test(arguments: PanelAct.all, [OutsideFault.busy, .unreachable, .answerLost, .twice])
    func `whatever happens on the way to those outside, it ends the same`(act: PanelAct, fault: OutsideFault)
        async throws
    {
        let reference = try await reference(act)
        for number in stride(from: 1, through: reference.calls, by: 1) {
            try await PanelScene.with(act) { scene in
                scene.stage.outside.change { $0.faults = [number: fault] }
                let ended = try await scene.stage.finish(scene.operation)
                #expect(ended.state == .succeeded, "\(fault) at \(number): \(ended.error?.message ?? "")")
                #expect(try await scene.now() == reference.end, "\(fault) at \(number)")
            }
        }
    }

    @Test(arguments: PanelAct.all)
    func `refused by somebody outside, it ends done or as it was`(act: PanelAct) async throws {
        let reference = try await reference(act)
        for number in stride(from: 1, through: reference.calls, by: 1) {
            try await PanelScene.with(act) { scene in
                scene.stage.outside.change { $0.faults = [number: .refuses] }
                let ended = try await scene.stage.finish(scene.operation)
                #expect(ended.state == .succeeded, "refused at \(number): \(ended.error?.message ?? "")")
                try await expectDoneOrAsBefore(scene, act, reference, "refused at \(number)")
            }
        }
    }

    @Test(arguments: PanelAct.all)
    func `stopped and taken up at each moment, it ends the same, with each command once`(act: PanelAct) async throws {
        let reference = try await reference(act)
        for moment in 1...reference.looks {
            try await PanelScene.with(act) { scene in
                _ = try await scene.stage.run(scene.operation, stopAt: moment)
                try await scene.stage.finish(scene.operation)
                #expect(try await scene.now() == reference.end, "stopped at \(moment)")
                #expect(scene.stage.panels.log == reference.log, "stopped at \(moment)")
            }
        }
    }

    @Test(arguments: PanelAct.undone)
    func `called off at each moment, it ends cancelled with nothing changed, or done`(act: PanelAct) async throws {
        let reference = try await reference(act)
        for moment in 1...reference.looks {
            try await PanelScene.with(act) { scene in
                _ = try await scene.stage.run(scene.operation, stopAt: moment)
                _ = try await scene.stage.operations.cancel(scene.operation, by: PanelStage.by)
                if try await !scene.stage.outcome(scene.operation).state.isFinished {
                    try await scene.stage.finish(scene.operation)
                }
                try await expectDoneOrAsBefore(scene, act, reference, "called off at \(moment)")
            }
        }
    }
}
