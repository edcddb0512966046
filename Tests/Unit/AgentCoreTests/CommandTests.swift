import AgentCore
import DriverKit
import Testing
import TestSupport
import WireProtocol

@Suite(.timeLimit(.minutes(2))) struct `Commands over the link` {
    @Test func `a command is accepted, run once and answered; a repeat gets the receipt`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, _ throws(DriverError) in ActionOutcome(changed: true, observed: ["x": 1]) }
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
        controller.send(AgentRig.command("c9", generation: 1 << 62))
        let wild = try await controller.result(of: "c9")
        #expect(wild.status == .refused && wild.error?.code == .invalidArgument)
        #expect(wild.error?.message.contains("no controller can have given the generation") == true)
        controller.send(AgentRig.command("c4", generation: 5))
        #expect(try await controller.result(of: "c4").status == .succeeded)
        #expect(next.driver.calls.map(\.action) == ["thing.look", "thing.ensure"])
        await next.stop()
    }

    @Test func `commands on a resource run one at a time and in order, a hung one holds no other resource`()
        async throws
    {
        let controller = try await ScriptedController()
        let gate = Gate()
        let driver = ScriptedDriver { call, _ throws(DriverError) in
            if call.arguments["wait"] == true { await gate.wait() }
            return ActionOutcome(changed: true)
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

    @Test func `a look does not wait for a change of the same thing, nor a change for a look`() async throws {
        let controller = try await ScriptedController()
        let gate = Gate()
        let driver = ScriptedDriver(concurrency: 1) { call, _ throws(DriverError) in
            if call.arguments["wait"] == true { await gate.wait() }
            return ActionOutcome(changed: call.action == "thing.ensure")
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("clone", arguments: ["wait": true]))
        controller.send(AgentRig.command("look", operation: "thing.look"))
        #expect(try await controller.result(of: "look").status == .succeeded)
        gate.open()
        _ = try await controller.result(of: "clone")
        let long = Gate()
        let slow = ScriptedDriver(concurrency: 1) { call, _ throws(DriverError) in
            if call.action == "thing.look" { await long.wait() }
            return ActionOutcome(changed: true)
        }
        await rig.stop()
        let next = try await AgentRig(controller, driver: slow, after: rig)
        try await controller.waitForSession(2)
        controller.send(AgentRig.command("long-look", operation: "thing.look"))
        controller.send(AgentRig.command("change"))
        #expect(try await controller.result(of: "change").status == .succeeded)
        #expect(controller.lines.results(of: "long-look").isEmpty)
        long.open()
        _ = try await controller.result(of: "long-look")
        await next.stop()
    }

    @Test func `a cancel reaches a running command and takes back a waiting one`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, _ throws(DriverError) in
            do { try await Task.sleep(for: .seconds(600)) } catch { throw DriverError(.cancelled, "stopped") }
            return ActionOutcome(changed: true)
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
            return ActionOutcome(changed: true)
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
        var command = AgentRig.command("c1", on: "thing/keep-1")
        if case .command(var order) = command {
            (order.trace, order.by) = ("op_1", "key:key_1")
            command = .command(order)
        }
        controller.send(command)
        let refused = try await controller.result(of: "c1")
        #expect(refused.status == .refused)
        #expect(refused.error?.code == .policy)
        #expect(rig.driver.calls.isEmpty)
        let log = try await eventually("an audit record") {
            let text = (try? rig.folder.read("audit.log")).map { String(decoding: $0, as: UTF8.self) }
            return text?.isEmpty == false ? text : nil
        }
        #expect(log.hasPrefix("time=20"))
        #expect(log.contains("decision=denied command=c1 operation=scripted.thing.ensure resource=thing/keep-1"))
        #expect(log.contains(" trace=op_1 by=key:key_1"))
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
}
