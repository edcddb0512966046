import AgentCore
import DriverKit
import Testing
import TestSupport
import WireProtocol

@Suite(.timeLimit(.minutes(2))) struct `The orderly stop` {
    @Test func `an orderly stop lets running work finish within the grace, and takes nothing new meanwhile`()
        async throws
    {
        let controller = try await ScriptedController()
        let gate = Gate()
        let driver = ScriptedDriver { _, _ throws(DriverError) in
            await gate.wait()
            return ActionOutcome(changed: true)
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
            return ActionOutcome(changed: true)
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
