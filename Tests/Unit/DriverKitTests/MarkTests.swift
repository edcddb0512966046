import DriverKit
import Glibc
import Logging
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// A driver's table compares marks before anything is changed.
@Suite struct MarkTests {
    final class ObjectProvider: MarkStore, Sendable {
        let found = Mutex(FoundMark.nothing)
        let done = Mutex<[ActionCall]>([])

        func mark(of call: ActionCall) async throws(DriverError) -> FoundMark { found.withLock { $0 } }
    }

    private static let table: [Action<ObjectProvider>] = ["thing.stop", "thing.mark"].map { name in
        Action(ActionSpec(name, .mutate, summary: "")) { keeper, call, _ throws(DriverError) in
            keeper.done.withLock { $0.append(call) }
            return ActionOutcome(changed: true, observed: ["state": "stopped"])
        }
    }.taking(["thing.stop": [], "thing.mark": []], marked: ["thing"])

    private func stop(
        _ found: FoundMark, _ mark: JSONValue?, action: String = "thing.stop"
    ) async -> (Result<ActionOutcome, DriverError>, [ActionCall]) {
        let keeper = ObjectProvider()
        keeper.found.withLock { $0 = found }
        var arguments: JSONObject = [:]
        arguments["mark"] = mark
        let call = ActionCall(action: action, resource: "thing/1", arguments: arguments)
        let context = ActionContext(commandID: "c1", logger: Logger(label: "test"))
        do throws(DriverError) {
            return (.success(try await Self.table.perform(call, on: keeper, context)), keeper.done.withLock { $0 })
        } catch { return (.failure(error), keeper.done.withLock { $0 }) }
    }

    @Test(
        arguments: [
            (["service": "svc_1"] as JSONValue, Mark(service: "svc_1", nonce: "n1")),
            (["service": "svc_1", "nonce": "n1"] as JSONValue, Mark(service: "svc_1", nonce: "n1")),
            // Of before nonces.
            (["service": "svc_1", "nonce": "n1"] as JSONValue, Mark(service: "svc_1")),
        ])
    func `what bears the call's mark is worked on`(given: JSONValue, found: Mark) async throws {
        let (result, done) = await stop(.mark(found), given)
        #expect(try result.get().observed == ["state": "stopped"])
        #expect(done.first?.mark?.service == "svc_1" && done.first?.arguments == [:])
    }

    @Test(
        arguments: [
            (["service": "svc_2"] as JSONValue, FoundMark.mark(Mark(service: "svc_1", nonce: "n1"))),
            (["service": "svc_1", "nonce": "n2"] as JSONValue, FoundMark.mark(Mark(service: "svc_1", nonce: "n1"))),
            (["service": "svc_1"] as JSONValue, FoundMark.copy(of: "thing 7")),
            (["service": "svc_1"] as JSONValue, FoundMark.stranger),
        ])
    func `what is another's is foreign, and nothing is done to it`(given: JSONValue, found: FoundMark) async {
        let (result, done) = await stop(found, given)
        guard case .failure(let error) = result else { return #expect(Bool(false), "it was worked on") }
        #expect(error.code == .foreign && !error.retryable && error.resource == "thing/1" && done.isEmpty)
    }

    @Test func `what may be of before marks is a finding, what is not there nothing`() async throws {
        let (old, _) = await stop(.unmarked, ["service": "svc_1"])
        #expect(try old.get().observed == ["state": "stopped", "unmarked": true])
        let (none, _) = await stop(.nothing, ["service": "svc_1"])
        #expect(try none.get().observed == ["state": "stopped"])
        let (free, done) = await stop(.mark(Mark(service: "svc_1")), nil)
        #expect(try free.get().changed && done.first?.mark == nil)
    }

    @Test func `only what bears no mark is taken into care`() async throws {
        for found in [FoundMark.stranger, .unmarked] {
            let (result, _) = await stop(found, ["service": "svc_1"], action: "thing.mark")
            #expect(try result.get().observed == ["state": "stopped"])
        }
        for found in [FoundMark.mark(Mark(service: "svc_2", nonce: "n")), .copy(of: "thing 7")] {
            let (result, done) = await stop(found, ["service": "svc_1"], action: "thing.mark")
            guard case .failure(let error) = result else { return #expect(Bool(false), "it was taken") }
            #expect(error.code == .foreign && done.isEmpty)
        }
    }

    @Test func `a mark in a folder is for one thing, and nobody else can read or forge it`() throws {
        let folder = try ScratchFolder("marks")
        let marks = MarkFolder(folder.file("a/b"))
        #expect(marks.mark(of: "example.org") == nil)
        marks.forget("example.org")
        try marks.note(Mark(service: "svc_1", nonce: "n1"), of: "example.org", subject: "user1")
        try marks.note(Mark(service: "svc_2"), of: "example.net")
        #expect(marks.mark(of: "example.org", subject: "user1") == Mark(service: "svc_1", nonce: "n1"))
        #expect(marks.mark(of: "example.org", subject: "user2") == nil, "another thing of that name")
        #expect(marks.mark(of: "example.net") == Mark(service: "svc_2"))
        var status = stat()
        #expect(stat(folder.file("a/b"), &status) == 0 && status.st_mode & 0o777 == 0o700)
        #expect(stat(folder.file("a/b/example.org"), &status) == 0 && status.st_mode & 0o777 == 0o600)
        symlink(folder.file("a/b/example.org"), folder.file("a/b/link"))
        #expect(marks.mark(of: "link", subject: "user1") == nil, "a link is followed")
        try folder.write(Array("svc_1\nn1\n".utf8), to: "a/b/torn")
        #expect(marks.mark(of: "torn") == nil)
        marks.forget("example.org")
        #expect(marks.mark(of: "example.org", subject: "user1") == nil)
    }
}
