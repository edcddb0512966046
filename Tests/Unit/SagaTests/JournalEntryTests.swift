import Model
import Testing
import WireProtocol

@testable import Saga

@Suite struct JournalEntryTests {
    static let entries: [JournalEntry] = [
        .started(deadline: Timestamp(milliseconds: 5), context: ["from": "running"]),
        .stepStarted(step: "make", attempt: 2, command: "op.make.2"),
        .stepSucceeded(step: "make", output: ["pool": "tank", "free": 12]),
        .stepFailed(step: "make", failure: .test(.interrupted)),
        .stepFailed(
            step: "make", failure: StepFailure(.unanswered, code: "unreachable", message: "no link", effect: .none)),
        .stepSkipped(step: "extra"),
        .unwindStarted(cause: .cancelled, deadline: Timestamp(milliseconds: 9)),
        .undoStarted(step: "make", attempt: 1, command: "op.make.undo.1"),
        .undone(step: "make"),
        .undoFailed(step: "make", failure: .test(.final)),
        .stepFailed(step: "make", failure: .awaiting(["nod_1", "nod_2"])),
        .finished(.succeeded), .finished(.cancelled), .finished(.failed(.test(.final))),
        .finished(.needsAttention(.test(.retryable), leftovers: [Leftover(step: "make", reason: "unknown")])),
    ]

    @Test(arguments: entries)
    func `an entry is read back as it was written`(entry: JournalEntry) throws {
        let bytes = JSONValue.object(entry.json).encoded
        guard case .object(let json) = try JSONParser.parse(bytes) else {
            Issue.record("not an object")
            return
        }
        #expect(try JournalEntry(json: json) == entry)
    }

    @Test(
        arguments: [
            [:], ["entry": "dance"], ["entry": 3], ["entry": "step_started", "step": "make"],
            ["entry": "step_started", "step": "make", "attempt": 0, "command": "x"],
            ["entry": "step_started", "step": "make", "attempt": -9_223_372_036_854_775_808, "command": "x"],
            ["entry": "finished", "outcome": "well"], ["entry": "finished", "outcome": "failed"],
            ["entry": "step_failed", "step": "make", "failure": ["kind": "odd"]],
        ] as [JSONObject])
    func `a damaged entry is refused with a reason`(json: JSONObject) {
        #expect(throws: JournalError.self) { try JournalEntry(json: json) }
    }

    @Test func `waits double up to the most and never overflow`() {
        let policy = RetryPolicy(attempts: 9, first: .seconds(1), most: .seconds(30))
        #expect([1, 2, 3, 5, 6, 100_000].map(policy.wait(after:)) == [1, 2, 4, 16, 30, 30].map { .seconds($0) })
    }
}
