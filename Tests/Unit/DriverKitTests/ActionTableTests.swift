import DriverKit
import Logging
import Testing
import WireProtocol

@Suite struct ActionTableTests {
    struct Subject: Sendable { let answer: Int64 }

    let table = [
        Action<Subject>(ActionSpec("thing.look", .observe, summary: "looks")) {
            subject, _, _ throws(DriverError) in
            ActionOutcome(changed: false, observed: ["answer": .integer(subject.answer)])
        },
        Action<Subject>(ActionSpec("thing.break", .mutate, summary: "breaks")) {
            _, _, _ throws(DriverError) in throw DriverError(.busy, "somebody is at it")
        },
    ]
    let context = ActionContext(commandID: "c1", logger: Logger(label: "test"))

    @Test func `a call runs the row of its name`() async throws {
        let call = ActionCall(action: "thing.look", resource: "thing/1")
        let outcome = try await table.perform(call, on: Subject(answer: 42), context)
        #expect(outcome.observed == ["answer": 42])
    }

    @Test func `an error says which action on what`() async {
        let call = ActionCall(action: "thing.break", resource: "thing/1")
        let error = await #expect(throws: DriverError.self) {
            try await table.perform(call, on: Subject(answer: 0), context)
        }
        #expect(error?.action == "thing.break")
        #expect(error?.resource == "thing/1")
        #expect(error?.retryable == true)
        #expect(error?.description == "thing.break of thing/1: somebody is at it")
    }

    @Test func `an unknown action is unsupported`() async {
        let call = ActionCall(action: "thing.fly", resource: "thing/1")
        let error = await #expect(throws: DriverError.self) {
            try await table.perform(call, on: Subject(answer: 0), context)
        }
        #expect(error?.code == .unsupported)
    }

    @Test func `an action's resource is told by its name or its noun, a list works on nothing`() {
        let forms = ["thing": "d/{name}", "thing.copy": "d/{target}", "part.list": "d/{name}"]
        let wanted: [String: String?] = [
            "thing.look": "d/{name}", "thing.copy": "d/{target}", "thing.list": nil, "part.list": "d/{name}",
            "other.look": nil,
        ]
        for (name, resource) in wanted {
            #expect(ActionSpec(name, .observe, summary: "s").named(by: forms).resource == resource, "\(name)")
        }
    }
}
