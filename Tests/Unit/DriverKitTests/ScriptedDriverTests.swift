import DriverKit
import Logging
import Model
import Synchronization
import TestSupport
import Testing
import WireProtocol

@Suite struct ScriptedDriverTests {
    @Test func `it does as scripted and remembers the calls`() async throws {
        let driver = ScriptedDriver { call, _ throws(DriverError) in
            if call.resource == "thing/2" { throw DriverError(.notFound, "no such thing") }
            return ActionOutcome(changed: true, observed: ["name": .string(call.resource)])
        }
        let context = ActionContext(commandID: "c", logger: Logger(label: "test"))
        let first = ActionCall(action: "thing.ensure", resource: "thing/1")
        #expect(try await driver.perform(first, context).changed)
        let second = ActionCall(action: "thing.ensure", resource: "thing/2")
        await #expect(throws: DriverError.self) { try await driver.perform(second, context) }
        #expect(driver.calls == [first, second])
        #expect(driver.action("thing.look")?.kind == .observe)
    }

    @Test func `events reach who listens until it is cancelled`() async throws {
        let driver = ScriptedDriver()
        let seen = Mutex<[String]>([])
        let listener = Task { await driver.events { event in seen.withLock { $0.append(event.kind) } } }
        while !driver.emit(DriverEvent(time: .now(), kind: "happened")) { await Task.yield() }
        listener.cancel()
        await listener.value
        #expect(seen.withLock { $0 } == ["happened"])
        #expect(!driver.emit(DriverEvent(time: .now(), kind: "late")))
    }
}
