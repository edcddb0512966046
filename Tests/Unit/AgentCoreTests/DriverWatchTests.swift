import AgentCore
import DriverKit
import Synchronization
import TestSupport
import Testing
import WireProtocol

@Suite(.timeLimit(.minutes(2))) struct `Drivers that come and go` {
    /// A machine on which a technology may appear.
    private final class Machine: Sendable {
        let hasSign = Mutex(false)
        let isWhole = Mutex(false)
        let looks = Mutex(0)
        let driver = ScriptedDriver()

        var source: DriverSource {
            DriverSource("scripted", sign: { self.hasSign.withLock { $0 } }) { _ in
                self.looks.withLock { $0 += 1 }
                return self.isWhole.withLock { $0 } ? self.driver : nil
            }
        }
    }

    private var impatient: AgentSettings {
        var settings = AgentSettings()
        settings.driverInterval = .milliseconds(50)
        return settings
    }

    private func refusal(_ id: String, _ controller: ScriptedController) async throws -> CommandError? {
        controller.send(AgentRig.command(id))
        return try await controller.result(of: id).error
    }

    @Test func `one whose technology comes after the agent is found, told of and worked with`() async throws {
        let controller = try await ScriptedController()
        let machine = Machine()
        let rig = try await AgentRig(controller, sources: [machine.source], settings: impatient)
        try await controller.waitForSession()
        #expect(controller.lines.hellos.last?.drivers.isEmpty == true)
        #expect(try await refusal("c1", controller)?.code == .unknownDriver)
        #expect(machine.looks.withLock { $0 } == 0, "without a sign nothing is looked at closely")
        machine.hasSign.withLock { $0 = true }
        let early = try await refusal("c2", controller)
        #expect(early?.code == .unavailable && early?.retryable == true)
        machine.driver.setInventory([InventoryItem(resource: "thing/a", state: ["state": "there"])])
        machine.driver.setSamples([("thing.a", 1)])
        machine.isWhole.withLock { $0 = true }
        let told = try await controller.wait("the drivers", { $0.driverReports.last { !$0.isEmpty } })
        #expect(told.map(\.name) == ["scripted"] && told[0].operations.contains("thing.ensure"))
        #expect(machine.driver.recovered == [], "it is told of earlier lives before all else")
        _ = try await controller.wait("the event", { $0.events("driver.found").first })
        _ = try await controller.wait("its inventory") { lines in
            lines.contains { if case .inventory(let one) = $0 { one.driver == "scripted" } else { false } } ? true : nil
        }
        _ = try await controller.wait("its samples") { lines in
            lines.contains { if case .series(let one) = $0 { one.names == ["thing.a"] } else { false } } ? true : nil
        }
        controller.send(AgentRig.command("c3"))
        #expect(try await controller.result(of: "c3").status == .succeeded)
        controller.cut()
        try await controller.waitForSession(2)
        #expect(controller.lines.hellos.last?.drivers.map(\.name) == ["scripted"])
        await rig.stop()
    }

    @Test func `one that loses its technology says so, and that it is back`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver()
        let rig = try await AgentRig(controller, driver: driver, settings: impatient)
        try await controller.waitForSession()
        driver.setAbsence("its file system is not there")
        let lost = try await controller.wait("the loss", { $0.events("driver.lost").first })
        #expect(lost.driver == "scripted" && lost.data["reason"] == "its file system is not there")
        let told = try await controller.wait("the drivers", { $0.driverReports.last })
        #expect(told.first?.facts["absent"] == "its file system is not there")
        driver.setAbsence("something else")
        driver.setAbsence(nil)
        _ = try await controller.wait("the return", { $0.events("driver.returned").first })
        _ = try await controller.wait(
            "the drivers", { $0.driverReports.last?.first?.facts["absent"] == nil ? true : nil })
        #expect(controller.lines.events("driver.lost").count == 1)
        await rig.stop()
    }

    @Test func `what one tells of the machine is told again when it is noticeably otherwise`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver()
        driver.setFacts(["pools": [["name": "tank", "free_bytes": 1_000_000]]])
        var settings = impatient
        settings.factsInterval = .milliseconds(100)
        let rig = try await AgentRig(controller, driver: driver, settings: settings)
        try await controller.waitForSession()
        _ = try await controller.wait("the facts", { $0.driverReports.last })
        // Some bytes less are no news.
        driver.setFacts(["pools": [["name": "tank", "free_bytes": 999_000]]])
        try await Task.sleep(for: .milliseconds(500))
        #expect(controller.lines.driverReports.count == 1)
        driver.setFacts(["pools": [["name": "tank", "free_bytes": 500_000]]])
        let told = try await controller.wait("the room", { $0.driverReports.count > 1 ? $0.driverReports.last : nil })
        #expect(told.first?.facts["pools"] == [["name": "tank", "free_bytes": 500_000]])
        #expect(told.first?.catalogue == nil && told.first?.operations.contains("thing.ensure") == true)
        await rig.stop()
    }

    @Test func `what changed while no controller listened is told in the next session`() async throws {
        let controller = try await ScriptedController()
        controller.greet(false)
        let machine = Machine()
        machine.hasSign.withLock { $0 = true }
        let rig = try await AgentRig(controller, sources: [machine.source], settings: impatient)
        try await controller.waitForSession()
        // The greeting is out, and its welcome never comes.
        machine.isWhole.withLock { $0 = true }
        #expect(await eventually { machine.driver.recovered != nil })
        controller.greet(true)
        controller.cut()
        try await controller.waitForSession(2)
        _ = try await controller.wait("the driver") { lines in
            let names = lines.hellos.flatMap(\.drivers).map(\.name) + lines.driverReports.flatMap { $0 }.map(\.name)
            return names.contains("scripted") ? true : nil
        }
        await rig.stop()
    }
}

extension [AgentMessage] {
    fileprivate var driverReports: [[DriverReport]] {
        compactMap { if case .drivers(let report) = $0 { report.drivers } else { nil } }
    }

    fileprivate func events(_ kind: String) -> [NodeEvent] {
        compactMap { if case .event(let event) = $0, event.kind == kind { event } else { nil } }
    }
}
