import APIModels
import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore

/// A node that is to be emptied.
@Suite struct DrainTests {
    /// A round of the reconciler; what it has ordered is done.
    private static func round(_ stage: SiteStage) async throws {
        try await DrainedNodes(operations: stage.operations).reconcile(stage.dependencies)
    }

    private static func queued(_ stage: SiteStage) async throws -> [OperationRecord] {
        try await stage.store.unfinishedOperations()
    }

    private static func finishAll(_ stage: SiteStage) async throws {
        for operation in try await queued(stage) { try await stage.finish(operation.id) }
    }

    private static func shown(_ stage: SiteStage, _ node: String) async throws -> [String] {
        let record = try #require(try await stage.store.node(node))
        let drain = try await Queries(
            stage.operations, for: Viewer(actor: "test", scopes: [.read], customer: nil)
        ).drain(of: record)
        return (drain?.services ?? []).map { "\($0.standing) \($0.reason ?? "")" }
    }

    @Test func `what can be moved is moved, one after another, and after that the node is empty`() async throws {
        try await SiteStage.with { stage in
            let first = try await stage.site()
            let node = try #require(first.node)
            // Two sites on one node: the others take nothing.
            for other in ["nod_1", "nod_2", "nod_3"] where other != node {
                _ = try await stage.operations.cordon(other, by: SiteStage.by)
            }
            let second = try await stage.site("bob@example.org", externalID: "order-2")
            for other in ["nod_1", "nod_2", "nod_3"] where other != node {
                _ = try await stage.operations.uncordon(other, by: SiteStage.by)
            }
            let drained = try await stage.operations.drain(node, by: SiteStage.by)
            #expect(drained.drain == .moves && !drained.schedulable)
            #expect(try await Self.shown(stage, node).allSatisfy { $0.hasPrefix("waiting") })
            for _ in 1...3 { try await Self.round(stage) }
            let moves = try await Self.queued(stage)
            #expect(moves.count == 1 && moves.allSatisfy { $0.kind == "move" && $0.requestedBy == "reconciler/drain" })
            #expect(try await Set(Self.shown(stage, node)) == ["moving ", "waiting "])
            for _ in 1...2 {
                try await Self.finishAll(stage)
                try await Self.round(stage)
            }
            for site in [first, second] {
                let moved = try await stage.service(site.id)
                #expect(moved.state == .running && moved.node != node)
            }
            #expect(try await Self.shown(stage, node) == [])
            #expect(try await Self.queued(stage).isEmpty)
            // It stays drained: nothing new comes.
            let third = try await stage.site("eve@example.org", externalID: "order-3")
            #expect(third.node != node)
        }
    }

    @Test func `where no other node has room it stays, with the reason, and is tried again later`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let node = try #require(site.node)
            for other in ["nod_1", "nod_2", "nod_3"] where other != node {
                _ = try await stage.operations.cordon(other, by: SiteStage.by)
            }
            _ = try await stage.operations.drain(node, by: SiteStage.by)
            try await Self.round(stage)
            try await Self.finishAll(stage)
            #expect(try await stage.service(site.id).state == .running)
            try await Self.round(stage)
            #expect(try await Self.queued(stage).isEmpty)
            let shown = try await Self.shown(stage, node)
            #expect(shown.first?.hasPrefix("stays its move failed: no other node") == true, "\(shown)")
            #expect(shown.first?.contains("cordoned") == true)
            stage.clock.state.withLock { $0.milliseconds += 900_000 }
            for other in ["nod_1", "nod_2", "nod_3"] where other != node {
                _ = try await stage.operations.uncordon(other, by: SiteStage.by)
            }
            try await Self.round(stage)
            try await Self.finishAll(stage)
            #expect(try await stage.service(site.id).node != node)
        }
    }

    @Test func `where it is wished, what cannot be moved is stopped, and started when the drain ends`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let node = try #require(site.node)
            for other in ["nod_1", "nod_2", "nod_3"] where other != node {
                _ = try await stage.operations.cordon(other, by: SiteStage.by)
            }
            _ = try await stage.operations.drain(node, stopping: true, by: SiteStage.by)
            for _ in 1...3 {
                try await Self.round(stage)
                try await Self.finishAll(stage)
            }
            #expect(try await stage.service(site.id).state == .suspended)
            #expect(stage.cluster.belongings.guests[100]?.isRunning == false)
            #expect(try await Self.shown(stage, node) == ["stopped "])
            _ = try await stage.operations.uncordon(node, by: SiteStage.by)
            let queued = try await Self.queued(stage)
            #expect(queued.map(\.kind) == ["resume"])
            try await Self.finishAll(stage)
            #expect(try await stage.service(site.id).state == .running)
            try await Self.round(stage)
            #expect(try await Self.queued(stage).isEmpty)
        }
    }

    @Test func `a drain that ends calls off what has not begun, and starts nothing that others have stopped`()
        async throws
    {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let node = try #require(site.node)
            _ = try await stage.operations.drain(node, by: SiteStage.by)
            try await Self.round(stage)
            let move = try #require(try await Self.queued(stage).first)
            _ = try await stage.operations.uncordon(node, by: SiteStage.by)
            #expect(try await stage.outcome(move.id).state == .cancelled)
            try await Self.round(stage)
            #expect(try await Self.queued(stage).isEmpty)
            #expect(try await stage.service(site.id).node == node)
            // What was called off is no reason against a move.
            _ = try await stage.operations.drain(node, stopping: true, by: SiteStage.by)
            #expect(try await Self.shown(stage, node) == ["waiting "])
            _ = try await stage.operations.uncordon(node, by: SiteStage.by)
            try await stage.order("suspend", site.id)
            _ = try await stage.operations.drain(node, stopping: true, by: SiteStage.by)
            _ = try await stage.operations.uncordon(node, by: SiteStage.by)
            #expect(try await Self.queued(stage).isEmpty)
            #expect(try await stage.service(site.id).state == .suspended)
        }
    }

    @Test func `nothing is moved from a node that is not there`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let node = try #require(site.node)
            _ = try await stage.operations.drain(node, by: SiteStage.by)
            stage.cluster.change { $0.nodes[node] = nil }
            try await Self.round(stage)
            #expect(try await Self.queued(stage).isEmpty)
            // And who was moved by hand meanwhile is asked nothing.
            #expect(try await stage.operations.leave(site.id, "nod_0") == nil)
        }
    }
}
