import APIModels
import HTTPTypes
import HummingbirdCore
import Model
import Saga
import Store
import Testing
import WireProtocol
@testable import API
@testable import ControllerCore
@testable import HTTP

@Suite struct OperationTests {
    static func journal(_ house: House, _ id: String, _ entries: [JSONValue], after: Int64 = 0) async throws {
        try await house.store.appendJournal(id, after: after, entries, at: house.clock.time)
    }

    static let begun: [JSONValue] = [
        ["entry": "started", "deadline": 1, "context": [:]],
        ["entry": "step_started", "step": "dataset", "attempt": 1, "command": "cmd_1"],
        ["entry": "step_succeeded", "step": "dataset", "output": [:]],
        ["entry": "step_started", "step": "container", "attempt": 1, "command": "cmd_2"],
        [
            "entry": "step_failed", "step": "container",
            "failure": ["kind": "retryable", "code": "busy", "message": "the engine is busy", "effect": "none"],
        ],
        ["entry": "step_started", "step": "container", "attempt": 2, "command": "cmd_3"],
    ]

    @Test func `an operation shows all its steps before it has begun`() async throws {
        let house = try await House()
        let id = try await house.addService().operation.id
        let steps = try #require(await house.ask(.get, "/api/v1/operations/\(id)").model(Operation.self).steps)
        #expect(steps.map(\.name) == ["place", "dataset", "image", "container", "snapshot"])
        #expect(steps.allSatisfy { $0.state == "pending" && $0.attempts == 0 && $0.total == 5 })
        #expect(steps.map(\.position) == [1, 2, 3, 4, 5])
        #expect(steps.map(\.auxiliary) == [false, false, false, false, true])
    }

    @Test func `an operation of a kind that this version does not know has the steps of its journal`() async throws {
        let house = try await House()
        let id = try await house.addService().operation.id
        try await Self.journal(house, id, Self.begun)
        let journal = try await house.store.journal(id)
        let steps = StepHistory([], journal).steps
        #expect(steps.map(\.name) == ["dataset", "container"] && steps.map(\.position) == [1, 2])
        #expect(steps.allSatisfy { $0.total == 2 })
    }

    @Test func `a step whose controller stopped has not failed, and goes on`() async throws {
        let house = try await House()
        let id = try await house.addService().operation.id
        let stop: JSONValue = [
            "entry": "step_failed", "step": "container",
            "failure": [
                "kind": "unanswered", "code": "abandoned", "message": "nobody waits for it", "effect": "possible",
            ],
        ]
        try await Self.journal(house, id, Self.begun + [stop])
        let steps = try #require(await house.ask(.get, "/api/v1/operations/\(id)").model(Operation.self).steps)
        #expect(steps.map(\.state) == ["pending", "done", "pending", "running", "pending"])
        #expect(steps[3].error == nil && steps[3].finishedAt == nil)
        let line = try JournalEntry(json: stop.asObject ?? [:]).logLine(at: HouseClock.start)
        #expect(line.level == "info" && line.text == "the controller stops; this goes on after its next start")
        let failed = try JournalEntry(json: Self.begun[4].asObject ?? [:]).logLine(at: HouseClock.start)
        #expect(failed.level == "warning" && failed.text == "the engine is busy")
    }

    @Test func `an operation shows its steps as far as they have come`() async throws {
        let house = try await House()
        let id = try await house.addService().operation.id
        try await Self.journal(house, id, Self.begun)
        let operation = try await house.ask(.get, "/api/v1/operations/\(id)").model(Operation.self)
        let steps = try #require(operation.steps)
        #expect(steps.map(\.state) == ["pending", "done", "pending", "running", "pending"])
        #expect(steps.map(\.attempts) == [0, 1, 0, 2, 0])
    }

    @Test func `a failed step says why, and what was undone`() async throws {
        let house = try await House()
        let id = try await house.addService().operation.id
        let failure: JSONValue = ["kind": "final", "code": "conflict", "message": "name taken", "effect": "none"]
        try await Self.journal(house, id, Self.begun)
        try await Self.journal(
            house, id,
            [
                ["entry": "step_failed", "step": "container", "failure": failure],
                ["entry": "unwind_started", "cause": failure, "deadline": 1],
                ["entry": "undo_started", "step": "dataset", "attempt": 1, "command": "cmd_4"],
                ["entry": "undone", "step": "dataset"], ["entry": "a_newer_entry", "step": "later"],
            ], after: Int64(Self.begun.count))
        let steps = try await house.ask(.get, "/api/v1/operations/\(id)").model(Operation.self).steps
        #expect(steps?.first { $0.name == "dataset" }?.state == "undone")
        let container = steps?.first { $0.name == "container" }
        #expect(container?.error?.message == "name taken" && container?.error?.retryable == false)
        #expect(steps?.last?.name == "later")
    }

    @Test func `operations are listed newest first and by filter`() async throws {
        let house = try await House()
        let first = try await house.addService("a").operation
        let second = try await house.addService("b").operation
        let all = try await house.ask(.get, "/api/v1/operations").model(Listing<Operation>.self)
        #expect(all.items.map(\.id) == [second.id, first.id])
        let page = try await house.ask(.get, "/api/v1/operations?limit=1").model(Listing<Operation>.self)
        let next = try #require(page.next)
        let rest = try await house.ask(.get, "/api/v1/operations?limit=1&cursor=\(next)").model(Listing<Operation>.self)
        #expect(rest.items.map(\.id) == [first.id] && rest.next == nil)
        let service = try #require(first.service)
        for (query, ids) in [
            ("service=\(service)", [first.id]), ("state=queued", [second.id, first.id]), ("state=failed", []),
            ("kind=suspend", []), ("customer=c1", [second.id, first.id]),
        ] {
            let found = try await house.ask(.get, "/api/v1/operations?\(query)").model(Listing<Operation>.self)
            #expect(found.items.map(\.id) == ids, "\(query)")
        }
    }

    @Test func `the log comes in pages`() async throws {
        let house = try await House()
        let id = try await house.addService().operation.id
        let lines = (1...5).map { OperationLogLine(time: house.clock.time, level: "info", text: "line \($0)") }
        try await house.store.appendLog(id, lines)
        let before = try await house.ask(.get, "/api/v1/operations/\(id)/log").model(Listing<LogLine>.self).items
        #expect(before.suffix(5).map(\.text) == (1...5).map { "line \($0)" })
        var seen: [Int64] = []
        var path = "/api/v1/operations/\(id)/log?limit=2"
        while true {
            let page = try await house.ask(.get, path).model(Listing<LogLine>.self)
            seen += page.items.map(\.seq)
            guard let next = page.next else { break }
            path = "/api/v1/operations/\(id)/log?limit=2&cursor=\(next)"
        }
        #expect(seen == before.map(\.seq))
    }

    @Test func `a waiting operation is cancelled at once`() async throws {
        let house = try await House()
        let id = try await house.addService().operation.id
        for _ in 1...2 {
            let operation = try await house.ask(.post, "/api/v1/operations/\(id)/cancel").model(Operation.self)
            #expect(operation.state == "cancelled" && operation.cancelRequested)
        }
        #expect(try await house.ask(.post, "/api/v1/operations/op_none/cancel").status == 404)
        #expect(try await house.ask(.get, "/api/v1/operations/op_none").status == 404)
        #expect(try await house.ask(.get, "/api/v1/operations/op_none/events").status == 404)
    }

    @Test func `the events of an ended operation are its whole life, and then the end`() async throws {
        let house = try await House()
        let id = try await house.addService().operation.id
        try await Self.journal(house, id, Self.begun)
        try await house.store.appendLog(id, [OperationLogLine(time: house.clock.time, level: "info", text: "hello")])
        try await house.store.updateOperation(id) { $0.state = .succeeded }
        let reply = try await house.ask(.get, "/api/v1/operations/\(id)/events")
        #expect(reply.response.headers[.contentType] == "text/event-stream")
        let events = Events.parse(reply.text)
        #expect(events.map(\.name).last == "operation")
        #expect(events.filter { $0.name == "step" }.count == 5)
        #expect(events.filter { $0.name == "log" }.count >= 1)
        #expect(events.filter { $0.name == "operation" }.count == 1)
        let end = try BodyDecoder.model(Operation.self, from: JSONParser.parse(try #require(events.last).data))
        #expect(end.steps?.map(\.state) == ["pending", "done", "pending", "running", "pending"])
        let step = try JSONParser.parse(try #require(events.first { $0.name == "step" }).data)
        #expect(step["position"] == 2 && step["total"] == 5 && step["auxiliary"] == false)
        // Coming back after the third event brings the rest and nothing twice.
        let resumed = try await house.ask(
            .get, "/api/v1/operations/\(id)/events", headers: [.lastEventID: events[2].id])
        let rest = Events.parse(resumed.text)
        #expect(rest.map(\.data) == events.dropFirst(3).map(\.data))
    }
}

/// Server-sent events, taken apart.
enum Events {
    struct Event: Sendable { var name = "", id = "", data = "" }

    static func parse(_ text: String) -> [Event] {
        text.split(separator: "\n\n").compactMap { block in
            var event = Event()
            for line in block.split(separator: "\n") where !line.hasPrefix(":") {
                let parts = line.split(separator: ":", maxSplits: 1).map { String($0.drop { $0 == " " }) }
                switch parts.first {
                case "event": event.name = parts[1]
                case "id": event.id = parts[1]
                case "data": event.data = parts[1]
                default: break
                }
            }
            return event.data.isEmpty ? nil : event
        }
    }
}
