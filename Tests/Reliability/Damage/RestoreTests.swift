import HTTPFetch
import Processes
import APIModels
import Glibc
import Model
import SQL
import SQLite
import SiteSupport
import TestSupport
import Testing

/// A backup is restored under a fleet that remembers more than it.
@Suite(.serialized, .site, .timeLimit(.minutes(20))) struct RestoreTests {
    @Test func `a restored controller runs nothing again, ends what was under way and goes on with its agents`()
        async throws
    {
        let site = try await Site.settled
        try await site.apply(plan: "story")
        let old = try await provisioned("old-1", site)
        let file = site.folder.file("backup")
        let middle = try await backedUp(inTheMiddleOf: "mid-1", site, file)
        // Of all this the backup knows nothing.
        for verb in ["suspend", "resume", "suspend", "resume"] {
            try await site.order("service", verb, "old-1", "--wait")
        }
        let late = try await provisioned("late-1", site)
        let known = try await site.engines.containers(of: middle.service)

        try await restore(file, site)
        try await site.settle()
        let ended = try await site.front.ended(middle.operation)
        #expect(ended.state == "succeeded", "\(ended)")
        #expect(try await site.engines.containers(of: middle.service) == known)
        try await site.expectWhole(middle.service)

        // The agent has seen newer generations than the backup had given.
        try await site.order("service", "suspend", "old-1", "--wait")
        try await site.expectWhole(old, state: "exited")
        try await site.order("service", "resume", "old-1", "--wait")
        try await site.expectWhole(old)
        #expect(try await site.front.send("GET", "/api/v1/services/\(late)").status == 404)
        #expect(try await site.engines.containers(of: late).map(\.state) == ["running"])
        try await expectGap(site)
    }

    private func provisioned(_ name: String, _ site: Site) async throws -> String {
        let accepted = try await site.create(name, plan: "story")
        let ended = try await site.front.ended(accepted.operation.id)
        #expect(ended.state == "succeeded", "\(ended)")
        return try #require(accepted.service?.id)
    }

    /// Takes the backup while an order is with the agent; it ends afterwards.
    private func backedUp(
        inTheMiddleOf name: String, _ site: Site, _ file: String
    ) async throws -> (service: String, operation: String) {
        let point = Gate.Point(engine: .docker, action: "create", moment: .before)
        try site.gate.close(point)
        let accepted = try await site.create(name, plan: "story")
        try await site.gate.reached(point)
        let taken = try await Programs.run(
            "innkeeper-controller", ["backup", "--data", site.folder.file("controller"), file])
        #expect(taken.succeeded, "\(taken.errorText)")
        site.gate.open(point)
        #expect(try await site.front.ended(accepted.operation.id).state == "succeeded")
        return (try #require(accepted.service?.id), accepted.operation.id)
    }

    private func restore(_ file: String, _ site: Site) async throws {
        await site.controller.stop()
        let restored = try await Programs.run(
            "innkeeper-controller", ["restore", "--data", site.folder.file("controller"), file])
        #expect(restored.succeeded, "\(restored.errorText)")
        try site.controller.start()
        let front = site.front
        let isReady = await eventually(within: .seconds(60)) { await front.isReady() }
        #expect(isReady, "\(site.controller.log)")
    }

    /// What was acknowledged after the backup is a gap; what comes now is stored.
    private func expectGap(_ site: Site) async throws {
        let path = site.folder.file("controller/controller.sqlite")
        let hasGap = try await eventually {
            let database = try SQLiteDatabase(path: path, options: SQLiteOptions(access: .readOnly))
            defer { database.close() }
            let sql = "SELECT count(*) FROM gaps WHERE kind = 'metrics' AND from_seq > 0 AND to_seq >= from_seq"
            return try database.first(sql) { (row) throws(SQLError) in try row.integer() } ?? 0 > 0
        }
        #expect(hasGap)
        let now = Timestamp.now()
        let node = try site.node()
        _ = try await site.front.until("/api/v1/nodes/\(node)/metrics/latest", as: LatestMetrics.self) {
            ($0.time ?? now) > now
        }
    }
}
