import APIModels
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension EndToEnd {
    /// The way back: what was begun and cannot be finished leaves nothing behind.
    @Suite struct UndoTests {
        @Test(arguments: [
            (Action(step: "container", engine: .docker, name: "remove"), Blow(victim: .agent, moment: .before)),
            (Action(step: "container", engine: .docker, name: "remove"), Blow(victim: .controller, moment: .after)),
            (Action(step: "dataset", engine: .zfs, name: "destroy"), Blow(victim: .agent, moment: .after)),
            (Action(step: "dataset", engine: .zfs, name: "destroy"), Blow(victim: .both, moment: .before)),
        ])
        func `a container that cannot start is taken back, whoever dies on the way`(action: Action, blow: Blow)
            async throws
        {
            let site = try await Site.settled
            try await site.apply(plan: "stillborn", command: ["/bin/nothing"])
            let name = "stillborn-\(action.name)-\(blow.victim)"
            let ended = try await blow.fall(site, action) { try await site.create(name, plan: "stillborn") }
            #expect(ended.state == "failed" && ended.error?.message.contains("its command was not found") == true)
            let states = Dictionary(uniqueKeysWithValues: (ended.steps ?? []).map { ($0.name, $0.state) })
            #expect(states["container"] == "undone" && states["dataset"] == "undone" && states["place"] == "undone")
            let service = try #require(ended.service)
            try await site.expectGone(service)
            #expect(try await site.front.get("/api/v1/services/\(service)", as: Service.self).state == "failed")
            try await site.terminate(service)
        }

        @Test(arguments: [
            Gate.Point(engine: .zfs, action: "create", moment: .before),
            Gate.Point(engine: .docker, action: "create", moment: .after),
            Gate.Point(engine: .zfs, action: "snapshot", moment: .after),
        ])
        func `what is cancelled in the middle is undone`(point: Gate.Point) async throws {
            let site = try await Site.settled
            try await site.apply(plan: "cancelled")
            try site.gate.close(point)
            defer { site.gate.open(point) }
            let accepted = try await site.create("cancelled-\(point.engine)-\(point.action)", plan: "cancelled")
            let service = try #require(accepted.service?.id)
            try await site.gate.reached(point)
            try await site.order("operation", "cancel", accepted.operation.id)
            let ended = try await site.front.ended(accepted.operation.id)
            #expect(ended.state == "cancelled", "\(ended.error?.message ?? "")")
            site.gate.open(point)
            try await site.expectGone(service)
        }

        @Test func `an engine that dies in the middle ends the order one way or the other, and whole`() async throws {
            let site = try await Site.settled
            try await site.apply(plan: "engine")
            let point = Gate.Point(engine: .docker, action: "create", moment: .before)
            try site.gate.close(point)
            defer { site.gate.open(point) }
            let accepted = try await site.create("engine-1", plan: "engine")
            let service = try #require(accepted.service?.id)
            try await site.gate.reached(point)
            try await site.docker.crash()
            site.gate.open(point)
            let ended = try await site.front.ended(accepted.operation.id)
            switch ended.state {
            case "succeeded": try await site.expectWhole(service)
            case "failed": try await site.expectGone(service)
            default: Issue.record("the operation ended as \(ended)")
            }
            try await site.terminate(service)
        }

        @Test func `the owner of the node has the last word`() async throws {
            let site = try await Site.settled
            try await site.apply(plan: "denied")
            let policy = try site.folder.write(
                Array(#"{"deny": [{"operation": "docker.container.ensure", "resource": "docker/svc_*"}]}"#.utf8),
                to: "policy.json")
            try await site.restartAgent(["policy": .string(policy)])
            let accepted = try await site.create("denied-1", plan: "denied")
            let ended = try await site.front.ended(accepted.operation.id)
            try await site.restartAgent([:])
            let service = try #require(accepted.service?.id)
            #expect(ended.state == "failed" && ended.error?.message.contains("denied by the rule") == true)
            try await site.expectGone(service)
            let audit = String(decoding: try site.folder.read("agent/audit.log"), as: UTF8.self)
            #expect(audit.contains("docker.container.ensure") && audit.contains(service))
        }
    }
}
