import APIModels
import Model
import Processes
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension EndToEnd {
    /// What happens to the link between agent and controller.
    @Suite struct LinkTests {
        @Test func `a frozen agent is missed within 15 seconds, and does what was ordered when it is back`()
            async throws
        {
            let site = try await Site.undisturbed
            try await site.apply(plan: "frozen")
            let service = try #require(try await site.create("frozen-1", plan: "frozen").service?.id)
            _ = try await site.front.until("/api/v1/services/\(service)", as: Service.self) { $0.state == "running" }
            site.agent.freeze()
            defer { site.agent.thaw() }
            let frozen = ContinuousClock.now
            let missed = try await site.node { $0.state == "unreachable" }
            let silence = ContinuousClock.now - frozen
            // Its last sign of life may be as old as a heartbeat when it freezes.
            #expect(silence > .seconds(9) && silence < .seconds(18), "\(silence)")
            #expect(missed.revokedAt == nil)
            let suspend: AcceptedOperation = try await site.front.post("/api/v1/services/\(service)/suspend")
            site.agent.thaw()
            try await site.node { $0.state == "connected" }
            #expect(try await site.front.ended(suspend.operation.id).state == "succeeded")
            try await site.expectWhole(service, state: "exited")
            try await site.terminate(service)
        }

        @Test func `what was measured while the controller was away arrives with the times of its measuring`()
            async throws
        {
            let site = try await Site.undisturbed
            let path = "/api/v1/nodes/\(try site.node())/metrics"
            await site.controller.kill()
            let from = Timestamp.now() + .seconds(1)
            try await Task.sleep(for: .seconds(6))
            let to = Timestamp.now() - .seconds(1)
            try site.controller.start()
            try await site.settle()
            let query = "\(path)?name=host.uptime&from=\(from.iso8601)&to=\(to.iso8601)&step=1000"
            let seen = try await site.front.until(query, as: MetricRange.self) {
                ($0.series.first?.points.count ?? 0) >= 4
            }
            let points = try #require(seen.series.first?.points)
            // The value itself tells when it was measured: one second of uptime a second.
            for (one, next) in zip(points, points.dropFirst()) {
                let step = Double(next.milliseconds - one.milliseconds) / 1000
                #expect(abs(next.value - one.value - step) < 1.5)
            }
        }

        @Test func `a revoked node is cut off at once and refused from then on`() async throws {
            let site = try await Site.undisturbed
            try await site.enrol("revoked", label: "role=guest")
            let agent = try site.installation.agent("revoked")
            try agent.start()
            let node = try await site.node("revoked") { $0.state == "connected" }
            try await site.order("node", "revoke", node.id, "--yes")
            #expect(
                await eventually { agent.log.contains("not connected") && agent.log.contains("revoked") },
                "\(agent.log)")
            let gone = try await site.node("revoked") { $0.state == "unreachable" }
            #expect(gone.revokedAt != nil)
            await agent.stop()
            try agent.start()
            #expect(await eventually { agent.log.lowercased().contains("revoked") }, "\(agent.log)")
            #expect(!agent.log.contains("msg=connected"))
            await agent.stop()
            let audit: Listing<AuditEntry> = try await site.front.get("/api/v1/audit?subject=\(node.id)")
            #expect(audit.items.contains { $0.action == "node.revoke" })
        }

        @Test func `a copy of a node's data folder is refused and reported, the node itself stays`() async throws {
            let site = try await Site.undisturbed
            let node = try site.node()
            try site.copy("agent", to: "clone")
            let clone = try site.installation.agent("clone")
            try clone.start()
            #expect(
                await eventually { clone.log.contains("duplicate") || clone.log.contains("is connected from") },
                "\(clone.log)")
            let audit = try await site.front.until(
                "/api/v1/audit?subject=\(node)", as: Listing<AuditEntry>.self
            ) { $0.items.contains { $0.action == "node.duplicate" } }
            #expect(!audit.items.isEmpty)
            await clone.stop()
            try await site.settle()
            let second = try await Programs.run("innkeeper-agent", ["run", "--data", site.folder.file("agent")])
            #expect(second.exit == .code(1) && second.errorText.contains("is running on it"), "\(second.errorText)")
        }
    }
}
