import Model
import Store
import Testing
import WireProtocol

@testable import ControllerCore

/// What rows are told, whatever happens on the way.
@Suite(.timeLimit(.minutes(2))) struct WriteBackTests {
    private func with(_ more: JSONObject = [:], _ body: (Yard) async throws -> Void) async throws {
        let yard = try await Yard()
        yard.hub.add(1, "a.example.org")
        try await yard.queue(more)
        try await body(yard)
        await yard.store.close()
    }

    @Test func `a controller that dies at any moment tells it all the same`() async throws {
        // Before each of the four parts, everything in memory is lost.
        for moment in 1...4 {
            try await with { yard in
                try await yard.look()
                var next = moment == 1 ? try await Yard(besides: yard) : yard
                try await next.look()
                try await next.work()
                if moment == 2 { next = try await Yard(besides: yard) }
                try await QueueClaims().reconcile(next.dependencies)
                if moment == 3 { next = try await Yard(besides: yard) }
                await next.delivery.round()
                if moment == 4 { next = try await Yard(besides: yard) }
                try await next.settle()
                #expect(yard.hub.row(1)["status_hosting"] == "active", "\(moment)")
                #expect(yard.hub.updates == ["update sites 1 active"])
                #expect(try await yard.services.count == 1)
                #expect(try await yard.claims().map(\.state) == [.done])
            }
        }
    }

    @Test(arguments: [HubFault.silent, .answerLost])
    func `a write that nobody answered is made again, and is one`(fault: HubFault) async throws {
        try await with { yard in
            yard.hub.change { $0.faults = [1: fault] }
            try await yard.settle(1)
            #expect(try await yard.claims().map(\.state) == [.ending])
            yard.clock.advance(.seconds(10))
            try await yard.settle()
            #expect(yard.hub.row(1)["hosting_doc_root"] == "/home/user_x/htdocs/a.example.org")
            #expect(yard.hub.updates == ["update sites 1 active", "update sites 1 active"])
            #expect(try await yard.claims().map(\.state) == [.done])
            #expect(try await yard.findings() == [])
        }
    }

    @Test func `what somebody else has written meanwhile stays`() async throws {
        try await with { yard in
            try await yard.look()
            yard.hub.set(1, ["status_hosting": "cancelled"])
            try await yard.settle()
            #expect(yard.hub.row(1)["status_hosting"] == "cancelled" && yard.hub.updates == [])
            let claim = try #require(try await yard.claims().first)
            #expect(claim.state == .overtaken && claim.problem?.contains("cancelled") == true)
            #expect(try await yard.findings() == ["queue.row_changed"])
        }
    }

    @Test func `a row that is gone is let go`() async throws {
        try await with { yard in
            try await yard.look()
            yard.hub.change { $0.tables["sites"] = [] }
            try await yard.settle()
            #expect(try await yard.claims().map(\.state) == [.overtaken])
            #expect(try await yard.services.map(\.state) == [.running])
        }
    }

    @Test func `a key that may only read is told the operator at once, and the row when it may write`() async throws {
        try await with { yard in
            yard.hub.change { $0.isReadOnly = true }
            try await yard.settle(1)
            #expect(try await yard.findings() == ["queue.write_refused"])
            yard.hub.change { $0.isReadOnly = false }
            try await yard.settle()
            #expect(yard.hub.row(1)["status_hosting"] == "active")
            #expect(try await yard.findings() == [])
        }
    }

    @Test func `the third word comes first, even where it came late`() async throws {
        try await with(["values": ["claimed": "building"]]) { yard in
            try await yard.look()
            await yard.delivery.round()
            #expect(yard.hub.row(1)["status_hosting"] == "building")
            // What is under way is not taken again, whatever the row says.
            yard.hub.set(1, ["status_hosting": "pending"])
            yard.clock.advance(.seconds(61))
            try await yard.look()
            #expect(try await yard.claims().count == 1)
            try await yard.settle()
            #expect(yard.hub.updates == ["update sites 1 building", "update sites 1 active"])
        }
        try await with(["values": ["claimed": "building"]]) { yard in
            yard.hub.change { $0.faults = [1: .silent] }
            try await yard.settle(1)
            #expect(yard.hub.updates == ["update sites 1 building"])
            try await yard.settle()
            #expect(
                yard.hub.updates == ["update sites 1 building", "update sites 1 building", "update sites 1 active"])
        }
    }

    @Test func `what is given up is found, and told when somebody asks for it`() async throws {
        try await with { yard in
            try await yard.look()
            try await yard.work()
            yard.hub.change { $0.isDown = true }
            for _ in 0..<20 {
                try await yard.tell()
                yard.clock.advance(.seconds(86_400))
            }
            #expect(try await yard.claims().map(\.state) == [.dead])
            #expect(try await yard.findings().contains("queue.dead_letters"))
            yard.hub.change { $0.isDown = false }
            #expect(try await yard.operations.replayQueue("sites", by: Yard.by) == 1)
            await yard.delivery.round()
            #expect(yard.hub.row(1)["status_hosting"] == "active")
            #expect(try await yard.claims().map(\.state) == [.done])
            #expect(try await !yard.findings().contains("queue.dead_letters"))
            #expect(try await yard.operations.replayQueue("sites", by: Yard.by) == 0)
        }
    }

    @Test func `a row whose news were given up is taken again after a rest`() async throws {
        try await with { yard in
            try await yard.look()
            try await yard.work()
            yard.hub.change { $0.isDown = true }
            for _ in 0..<20 {
                try await yard.tell()
                yard.clock.advance(.seconds(86_400))
            }
            yard.hub.change { $0.isDown = false }
            try await yard.settle()
            #expect(yard.hub.row(1)["status_hosting"] == "active")
            #expect(try await yard.claims().map(\.state) == [.dead, .done])
            // The one that was given up has nothing to say any more.
            #expect(try await yard.operations.replayQueue("sites", by: Yard.by) == 0)
            #expect(try await yard.services.count == 1)
        }
    }

    @Test func `a certificate that is still wanted is told, and that it came`() async throws {
        try await with { yard in
            yard.builder.change { $0.uncertified = ["a.example.org"] }
            try await yard.settle()
            let row = yard.hub.row(1)
            #expect(row["status_hosting"] == "active")
            #expect(row["error_message"] == "the certificate cannot be had yet: the name does not lead here")
            #expect(try await yard.claims().map(\.state) == [.watching])
            let service = try #require(try await yard.services.first)
            try await yard.store.updateService(service.id, at: yard.clock.time) { $0.address["certificate"] = "active" }
            yard.clock.advance(.seconds(1800))
            try await yard.tell()
            #expect(yard.hub.row(1)["error_message"] == .null)
            #expect(try await yard.claims().map(\.state) == [.done])
            #expect(yard.hub.updates.count == 2)
        }
    }

    @Test func `a service that is removed meanwhile is no success`() async throws {
        try await with { yard in
            try await yard.look()
            let service = try #require(try await yard.services.first)
            _ = try await yard.operations.terminate(service.id, by: Yard.by)
            try await yard.work()
            try await yard.tell()
            #expect(yard.hub.row(1)["status_hosting"] == "failed")
        }
    }

    @Test func `a queue that is removed writes no more`() async throws {
        try await with { yard in
            try await yard.look()
            try await yard.operations.removeQueue(name: "sites", by: Yard.by)
            try await yard.work()
            try await yard.tell()
            #expect(yard.hub.updates == [])
            #expect(try await yard.claims().map(\.state) == [.dead])
            #expect(try await yard.services.map(\.state) == [.running])
        }
    }
}
