import Model
import Store
import Testing
import WireProtocol

@testable import ControllerCore

/// What others are told, and that it is written with its cause.
@Suite struct AnnouncementTests {
    private func listen(_ stage: Stage, customer: String? = nil, events: [String] = []) async throws {
        try await stage.store.insertWebhook(
            WebhookRecord(
                id: Identifier.make("whk"), name: "w", customer: customer, url: "https://a.example/", events: events,
                authority: nil, allowsPrivate: false, secrets: [:], createdAt: stage.clock.port.now()))
    }

    private func told(_ stage: Stage) async throws -> [OutboxRecord] {
        try await stage.store.messages(OutboxFilter()).items.reversed()
    }

    private func kinds(_ stage: Stage) async throws -> [String] {
        try await told(stage).map { $0.kind.replacing("innkeeper.service.", with: "") }
    }

    @Test func `each end of a service's operations is told once`() async throws {
        try await Stage.with { stage in
            try await listen(stage)
            let service = try await stage.provision()
            for verb in ["suspend", "resume"] {
                try await stage.finish(
                    stage.operations.order(verb, on: service.id, by: Stage.by).operation.id)
            }
            try await stage.finish(
                stage.operations.upgrade(service.id, UpgradeRequest(plan: "large"), by: Stage.by).operation.id)
            try await stage.finish(stage.operations.terminate(service.id, by: Stage.by).operation.id)
            #expect(try await kinds(stage) == ["up", "suspended", "resumed", "upgraded", "terminated"])
            let last = try #require(try await told(stage).last)
            #expect(last.subject == "service/\(service.id)" && last.body["data"]?["state"] == "terminated")
            #expect(last.body["data"]?["operation"]?["kind"] == "terminate" && last.body["id"] == .string(last.id))
        }
    }

    @Test func `a controller that stops at any moment tells it once all the same`() async throws {
        try await Stage.with { stage in
            _ = try await stage.run(stage.create("first").operation.id)
            let looks = stage.looks
            try await listen(stage)
            #expect(looks > 5)
            for stop in 1...looks {
                let made = try await stage.create("order-\(stop)-x")
                _ = try await stage.run(made.operation.id, stopAt: stop)
                try await stage.finish(made.operation.id)
                let about = try await told(stage).filter { $0.subject == "service/\(made.service.id)" }
                #expect(about.map(\.kind) == ["innkeeper.service.up"], "stopped at \(stop)")
                try await stage.finish(stage.operations.terminate(made.service.id, by: Stage.by).operation.id)
            }
        }
    }

    @Test func `a failure is told by its code, without the words that name nodes`() async throws {
        try await Stage.with { stage in
            try await listen(stage)
            let request = ServiceRequest(
                customer: "cus-1", plan: "small", overrides: ["memory_bytes": .integer(1 << 40)])
            let made = try await stage.operations.createService(request, by: Stage.by)
            try await stage.finish(made.operation.id)
            let message = try #require(try await told(stage).first)
            #expect(message.kind == "innkeeper.service.failed")
            #expect(message.body["data"]?["operation"]?["error"] == "no_room")
            #expect(!message.body.text.contains("node-1") && !message.body.text.contains("nod_1"))
        }
    }

    @Test func `customers hear of their own services, and of what they asked for`() async throws {
        try await Stage.with { stage in
            try await listen(stage, customer: "cus-1", events: ["innkeeper.service.up"])
            try await listen(stage, customer: "cus-2")
            let service = try await stage.provision()
            try await stage.finish(stage.operations.terminate(service.id, by: Stage.by).operation.id)
            #expect(try await kinds(stage) == ["up"])
        }
    }

    @Test(
        arguments: [
            ("provision", OperationRecord.State.cancelled, ServiceRecord.State.failed, EventKind.failed),
            ("suspend", .failed, .running, .operationFailed), ("suspend", .cancelled, .running, nil),
            ("terminate", .needsAttention, .terminating, .needsAttention), ("restart", .succeeded, .running, nil),
            ("provision", .queued, .failed, nil), ("suspend", .resolved, .running, nil),
        ] as [(String, OperationRecord.State, ServiceRecord.State, EventKind?)])
    func `what an end means`(
        kind: String, state: OperationRecord.State, service: ServiceRecord.State, told: EventKind?
    ) {
        let time = Timestamp(milliseconds: 1)
        var operation = OperationRecord(id: "op_1", kind: kind, service: "svc_1", createdAt: time)
        operation.state = state
        var record = ServiceRecord(id: "svc_1", customer: "c", plan: "p", createdAt: time, updatedAt: time)
        record.state = service
        #expect(EventKind(end: operation, of: record) == told)
    }
}
