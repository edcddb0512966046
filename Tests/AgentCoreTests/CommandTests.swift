import AgentCore
import DaemonKit
import DriverKit
import Synchronization
import Testing
import TestSupport
import WireProtocol

@Suite(.timeLimit(.minutes(2))) struct `Commands over the link` {
    @Test func `a command is accepted, run once and answered; a repeat gets the receipt`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, _ throws(DriverError) in OperationOutcome(changed: true, observed: ["x": 1]) }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        let result = try await controller.result(of: "c1")
        #expect(result.status == .succeeded)
        #expect(result.changed && !result.replayed)
        #expect(result.observed == ["x": 1])
        #expect(controller.lines.accepted("c1").map(\.duplicate) == [false])
        controller.send(AgentRig.command("c1"))
        let again = try await controller.result(of: "c1", after: 1)
        #expect(again.replayed)
        #expect(again.status == .succeeded)
        controller.send(AgentRig.command("c1", arguments: ["other": true]))
        let refused = try await controller.result(of: "c1", after: 2)
        #expect(refused.status == .refused)
        #expect(refused.error?.code == .digestMismatch)
        #expect(driver.calls.count == 1)
        await rig.stop()
    }

    @Test func `an older generation is refused, also after a restart; observing is not`() async throws {
        let controller = try await ScriptedController()
        let rig = try await AgentRig(controller)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1", generation: 5))
        _ = try await controller.result(of: "c1")
        await rig.stop()
        let next = try await AgentRig(controller, after: rig)
        try await controller.waitForSession(2)
        controller.send(AgentRig.command("c2", generation: 4))
        let refused = try await controller.result(of: "c2")
        #expect(refused.error?.code == .staleGeneration)
        #expect(refused.error?.message == "generation 4 of thing/a is older than 5")
        controller.send(AgentRig.command("c3", generation: 0, operation: "thing.look"))
        #expect(try await controller.result(of: "c3").status == .succeeded)
        controller.send(AgentRig.command("c4", generation: 5))
        #expect(try await controller.result(of: "c4").status == .succeeded)
        #expect(next.driver.calls.map(\.operation) == ["thing.look", "thing.ensure"])
        await next.stop()
    }

    @Test func `commands on a resource run one at a time and in order, a hung one holds no other resource`()
        async throws
    {
        let controller = try await ScriptedController()
        let gate = Gate()
        let driver = ScriptedDriver { call, _ throws(DriverError) in
            if call.arguments["wait"] == true { await gate.wait() }
            return OperationOutcome(changed: true)
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1", arguments: ["wait": true, "n": 1]))
        controller.send(AgentRig.command("c2", arguments: ["n": 2]))
        controller.send(AgentRig.command("c3", arguments: ["n": 3]))
        controller.send(AgentRig.command("other", on: "thing/b"))
        _ = try await controller.result(of: "other")
        #expect(controller.lines.results(of: "c2").isEmpty)
        let accepted = try await controller.wait("c2 accepted", { $0.accepted("c2").first })
        #expect(accepted.status == .accepted)
        gate.open()
        _ = try await controller.result(of: "c3")
        #expect(driver.calls.filter { $0.resource == "thing/a" }.map { $0.arguments["n"] } == [1, 2, 3])
        await rig.stop()
    }

    @Test func `a cancel reaches a running command and takes back a waiting one`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, _ throws(DriverError) in
            do { try await Task.sleep(for: .seconds(600)) } catch { throw DriverError(.cancelled, "stopped") }
            return OperationOutcome(changed: true)
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        controller.send(AgentRig.command("c2"))
        _ = try await controller.wait("c2 accepted", { $0.accepted("c2").first })
        controller.send(.cancel(Cancel(id: "c2", reason: "not needed")))
        let waiting = try await controller.result(of: "c2")
        #expect(waiting.status == .cancelled)
        #expect(waiting.started == nil)
        controller.send(.cancel(Cancel(id: "c1", reason: "not needed")))
        let running = try await controller.result(of: "c1")
        #expect(running.status == .cancelled)
        #expect(running.error?.message == "cancelled (not needed); stopped")
        #expect(driver.calls.count == 1)
        controller.send(.cancel(Cancel(id: "unknown", reason: "x")))
        #expect(try await controller.result(of: "unknown").error?.code == .notFound)
        await rig.stop()
    }

    @Test func `the agent keeps deadlines itself, of running and of waiting commands, with the link down`() async throws
    {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, _ throws(DriverError) in
            do { try await Task.sleep(for: .seconds(600)) } catch { throw DriverError(.cancelled, "stopped") }
            return OperationOutcome(changed: true)
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1", deadlineMs: 400))
        controller.send(AgentRig.command("c2", deadlineMs: 100))
        _ = try await controller.wait("c2 accepted", { $0.accepted("c2").first })
        controller.cut()
        let running = try await controller.result(of: "c1")
        #expect(running.status == .failed)
        #expect(running.error?.code == .timedOut)
        #expect(running.error?.message == "the deadline of 400 ms passed; stopped")
        let waiting = try await controller.result(of: "c2")
        #expect(waiting.error?.code == .timedOut)
        #expect(waiting.started == nil)
        #expect(driver.calls.count == 1)
        await rig.stop()
    }

    @Test func `output flows under credit and is offered again to a controller that came back`() async throws {
        let controller = try await ScriptedController()
        let written = Mutex(0)
        let driver = ScriptedDriver { _, context throws(DriverError) in
            for _ in 0..<10 {
                do { try await context.output(.stdout, [UInt8](repeating: 0x61, count: 10)) } catch {
                    throw DriverError(.cancelled, "stopped")
                }
                written.withLock { $0 += 1 }
            }
            return OperationOutcome(changed: false)
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        let command = AgentRig.command("c1", window: 25)
        controller.send(command)
        _ = try await controller.wait("25 bytes", { $0.outputs(of: "c1").bytes == 25 ? true : nil })
        #expect(written.withLock { $0 } == 2, "the third write waits for credit")
        controller.send(.window(Window(id: "c1", credit: 10)))
        _ = try await controller.wait("35 bytes", { $0.outputs(of: "c1").bytes == 35 ? true : nil })
        #expect(controller.lines.results(of: "c1").isEmpty)
        controller.cut()
        let result = try await controller.result(of: "c1")
        #expect(result.status == .succeeded, "with nobody listening the command goes on")
        #expect(controller.lines.outputs(of: "c1").map(\.offset) == [0, 10, 20, 25, 30])
        await rig.stop()
    }

    @Test func `to a controller that came back the tail of the output is told, with a jump in the offsets`()
        async throws
    {
        let controller = try await ScriptedController()
        let gate = Gate()
        let driver = ScriptedDriver { _, context throws(DriverError) in
            do {
                for _ in 0..<50 { try await context.output(.stdout, [UInt8](repeating: 0x61, count: 4096)) }
                try await context.output(.stderr, Array("the end".utf8))
            } catch { throw DriverError(.cancelled, "stopped") }
            await gate.wait()
            return OperationOutcome(changed: false)
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        let command = AgentRig.command("c1", window: 4096)
        controller.send(command)
        _ = try await controller.wait("the first piece", { $0.outputs(of: "c1").bytes == 4096 ? true : nil })
        controller.cut()
        try await controller.waitForSession(2)
        controller.forgetLines()
        controller.send(AgentRig.command("c1", window: 1 << 20))
        _ = try await controller.wait("the tail") { lines in
            lines.outputs(of: "c1").last.map { $0.stream == .stderr ? true : nil } ?? nil
        }
        let tail = controller.lines.outputs(of: "c1")
        #expect(controller.lines.accepted("c1").map(\.duplicate) == [true])
        #expect(tail.bytes == OutputWindow.tailLimit)
        let text = tail.filter { $0.stream == .stdout }
        #expect(text.first?.offset == Int64(50 * 4096 + 7 - OutputWindow.tailLimit))
        #expect(text.map { $0.offset + Int64($0.data.count) }.last == Int64(50 * 4096))
        #expect(String(decoding: tail.last?.data ?? [], as: UTF8.self) == "the end")
        gate.open()
        #expect(try await controller.result(of: "c1").status == .succeeded)
        #expect(driver.calls.count == 1)
        await rig.stop()
    }

    @Test func `input that nobody takes ends the command, not the memory`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, _ throws(DriverError) in
            do { try await Task.sleep(for: .seconds(600)) } catch { throw DriverError(.cancelled, "stopped") }
            return OperationOutcome(changed: false)
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        let piece = [UInt8](repeating: 0x61, count: 64 << 10)
        for _ in 0..<20 { controller.send(.input(Input(id: "c1", data: piece, end: false))) }
        let result = try await controller.result(of: "c1")
        #expect(result.status == .failed)
        #expect(result.error?.message.contains("input") == true)
        await rig.stop()
    }

    @Test func `a result that no line takes is told without its observations, also after a reconnect`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, _ throws(DriverError) in
            OperationOutcome(changed: true, observed: ["text": .string(String(repeating: "x", count: 2 << 20))])
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        controller.send(AgentRig.command("c2", operation: "thing.look"))
        for id in ["c1", "c2"] {
            let result = try await controller.result(of: id)
            #expect(result.status == .succeeded)
            #expect(result.changed)
            #expect(result.observed["omitted"] != nil && result.observed["text"] == nil)
        }
        controller.cut()
        let again = try await controller.result(of: "c1", after: 1)
        #expect(again.replayed)
        await rig.stop()
    }

    @Test func `input reaches the command and its end ends it`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, context throws(DriverError) in
            var text = ""
            for await piece in context.input { text += String(decoding: piece, as: UTF8.self) }
            return OperationOutcome(changed: false, observed: ["read": .string(text)])
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        controller.send(.input(Input(id: "c1", data: Array("hello ".utf8), end: false)))
        controller.send(.input(Input(id: "c1", data: Array("there".utf8), end: true)))
        #expect(try await controller.result(of: "c1").observed == ["read": "hello there"])
        await rig.stop()
    }

    @Test func `a result is sent again in each session until it is acknowledged`() async throws {
        let controller = try await ScriptedController()
        let rig = try await AgentRig(controller)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        _ = try await controller.result(of: "c1")
        controller.cut()
        let again = try await controller.result(of: "c1", after: 1)
        #expect(again.replayed)
        #expect(controller.lines.hellos.last?.receipts == [ReceiptReport(id: "c1", status: .succeeded)])
        controller.send(.ack(Acknowledgement(results: ["c1"])))
        // A later command answers after the acknowledgement was taken, since both go through one queue.
        controller.send(AgentRig.command("c2"))
        _ = try await controller.result(of: "c2")
        controller.forgetLines()
        controller.cut()
        _ = try await controller.result(of: "c2")
        #expect(controller.lines.hellos.last?.receipts.map(\.id) == ["c2"])
        #expect(controller.lines.results(of: "c1").isEmpty)
        await rig.stop()
    }

    @Test func `what the policy denies is refused and written down, with no receipt`() async throws {
        let controller = try await ScriptedController()
        var settings = AgentSettings()
        settings.policy = Policy(
            allow: [.init(operation: "*")], deny: [.init(operation: "scripted.thing.ensure", resource: "thing/keep*")])
        let rig = try await AgentRig(controller, settings: settings)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1", on: "thing/keep-1"))
        let refused = try await controller.result(of: "c1")
        #expect(refused.status == .refused)
        #expect(refused.error?.code == .policy)
        #expect(rig.driver.calls.isEmpty)
        let log = try await eventually("an audit record") {
            let text = (try? rig.folder.read("audit.log")).map { String(decoding: $0, as: UTF8.self) }
            return text?.isEmpty == false ? text : nil
        }
        #expect(log.contains("decision=denied command=c1 operation=scripted.thing.ensure resource=thing/keep-1"))
        await rig.stop()
    }

    @Test func `an unknown driver or operation is refused, a line that is no message ends the session`() async throws {
        let controller = try await ScriptedController()
        let rig = try await AgentRig(controller)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1", operation: "thing.unknown"))
        #expect(try await controller.result(of: "c1").error?.code == .unknownOperation)
        controller.send(raw: Array("{\"type\":\"newer\"}\n".utf8))
        controller.send(AgentRig.command("c2"))
        _ = try await controller.result(of: "c2")
        #expect(controller.sessions == 1, "an unknown message is no reason to leave")
        controller.send(raw: Array("not json\n".utf8))
        let goodbye = try await controller.wait("a goodbye") { lines in
            lines.lazy.compactMap { if case .goodbye(let goodbye) = $0 { goodbye } else { nil } }.first
        }
        #expect(goodbye.code == .malformed)
        try await controller.waitForSession(2)
        await rig.stop()
    }

    @Test func `secrets reach the driver and nothing on disk`() async throws {
        let controller = try await ScriptedController()
        let rig = try await AgentRig(controller)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1", arguments: ["env": "plain"], secrets: ["password": "hunter2-secret"]))
        _ = try await controller.result(of: "c1")
        #expect(rig.driver.calls.first?.secrets == ["password": "hunter2-secret"])
        await rig.stop()
        for name in ["journal.sqlite", "journal.sqlite-wal", "spool.sqlite", "audit.log"] {
            guard let bytes = try? rig.folder.read(name) else { continue }
            #expect(!String(decoding: bytes, as: UTF8.self).contains("hunter2"), "\(name)")
        }
    }

    @Test func `an orderly stop lets running work finish within the grace, and takes nothing new meanwhile`()
        async throws
    {
        let controller = try await ScriptedController()
        let gate = Gate()
        let driver = ScriptedDriver { _, _ throws(DriverError) in
            await gate.wait()
            return OperationOutcome(changed: true)
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        _ = try await eventually("the command at the driver") { driver.calls.isEmpty ? nil : true }
        let stopping = Task { await rig.stop() }
        // Refused as soon as the stop has begun; until then a repeat of it would be taken.
        var number = 0
        _ = try await eventually("a refusal") {
            number += 1
            controller.send(AgentRig.command("late\(number)", on: "thing/a", operation: "thing.look"))
            return controller.lines.contains {
                if case .result(let result) = $0 { result.error?.code == .shuttingDown } else { false }
            } ? true : nil
        }
        gate.open()
        #expect(try await controller.result(of: "c1").status == .succeeded)
        await stopping.value
        let ends = controller.lines.compactMap { line -> Bool? in
            switch line {
            case .result(let result) where result.id == "c1": true
            case .goodbye: false
            default: nil
            }
        }
        #expect(ends.last == false && ends.first == true, "the result comes before the goodbye")
    }

    @Test func `an orderly stop takes nothing new, gives waiting work back and interrupts what does not end`()
        async throws
    {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, _ throws(DriverError) in
            do { try await Task.sleep(for: .seconds(600)) } catch { throw DriverError(.cancelled, "stopped") }
            return OperationOutcome(changed: true)
        }
        var settings = AgentSettings()
        settings.stopGrace = .milliseconds(50)
        let rig = try await AgentRig(controller, driver: driver, settings: settings)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        controller.send(AgentRig.command("c2"))
        _ = try await controller.wait("c2 accepted", { $0.accepted("c2").first })
        await rig.stop()
        #expect(try await controller.result(of: "c2").error?.code == .notStarted)
        let interrupted = try await controller.result(of: "c1")
        #expect(interrupted.status == .interrupted)
        #expect(interrupted.error?.code == .interrupted)
        let goodbye = try await controller.wait("a goodbye") { lines in
            lines.lazy.compactMap { if case .goodbye(let goodbye) = $0 { goodbye } else { nil } }.first
        }
        #expect(goodbye.code == .shutdown)
    }
}

extension [Output] {
    var bytes: Int { reduce(0) { $0 + $1.data.count } }
}

/// Holds whoever waits until it is opened.
final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            defer { state = (true, []) }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
