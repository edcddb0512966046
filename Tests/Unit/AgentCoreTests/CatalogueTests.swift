import AgentCore
import DaemonKit
import DriverKit
import Model
import TestSupport
import Testing
import Threads
import WireProtocol

@Suite struct `What an agent says it can do` {
    @Test func `its hello lists every operation, and which of them the policy lets be`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver(actions: [
            ActionSpec("thing.ensure", .mutate, defaultDeadline: .seconds(90), summary: "makes it be there"),
            ActionSpec("thing.exec", .mutate, summary: "runs what the caller says"),
            ActionSpec("thing.look", .observe, summary: "looks"),
        ])
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        let report = try #require(controller.lines.hellos.last?.drivers.first { $0.name == "scripted" })
        #expect(report.operations == ["thing.ensure", "thing.look"])
        let catalogue = try #require(report.catalogue)
        #expect(catalogue.map(\.name) == ["thing.ensure", "thing.exec", "thing.look"])
        #expect(catalogue.map(\.kind) == [.mutate, .mutate, .observe])
        #expect(catalogue.map(\.guarded) == [false, true, false])
        #expect(catalogue.map(\.allowed) == [true, false, true])
        #expect(catalogue[0].deadlineMs == 90_000 && catalogue[0].summary == "makes it be there")
        await rig.stop()
    }

    @Test func `it lists who takes and gives bytes and how resources are called, and holds changes to that`()
        async throws
    {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver(actions: [
            ActionSpec("thing.push", .mutate, summary: "takes", input: .always).named(by: ["thing": "thing/{name}"]),
            ActionSpec("thing.pull", .observe, summary: "gives", givesBytes: true),
        ])
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        let catalogue = try #require(controller.lines.hellos.last?.drivers.first?.catalogue)
        #expect(catalogue.map(\.input) == [.always, ActionInput.none] && catalogue.map(\.output) == [false, true])
        #expect(catalogue.map(\.resource) == ["thing/{name}", nil])
        controller.send(AgentRig.command("c1", operation: "thing.push", arguments: ["name": "b"]))
        let refused = try await controller.result(of: "c1")
        #expect(refused.status == .refused && refused.error?.code == .invalidArgument)
        #expect(refused.error?.message.contains("thing/b") == true && driver.calls.isEmpty)
        controller.send(AgentRig.command("c2", operation: "thing.push", arguments: ["name": "a"]))
        #expect(try await controller.result(of: "c2").status == .succeeded)
        await rig.stop()
    }

    @Test func `it says what an action takes, and refuses anything else before there is a receipt`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver(actions: [
            ActionSpec("thing.ensure", .mutate, summary: "makes it").taking(
                [.text("name", "which one")], secrets: [.text("key", "the key")])
        ])
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        let report = try #require(controller.lines.hellos.last?.drivers.first?.catalogue?.first)
        #expect(report.arguments?["required"] == ["name"] && report.secrets?["required"] == ["key"])
        let orders: [(JSONObject, String)] = [
            ([:], "argument name is missing"), (["name": "a", "size": 1], "argument size is not"),
            (["name": "a", "key": "hunter2"], "argument key is a secret"), (["name": "a"], "argument secrets.key is"),
        ]
        for (number, (arguments, message)) in orders.enumerated() {
            let id = "c\(number)"
            controller.send(AgentRig.command(id, operation: "thing.ensure", arguments: arguments))
            let refused = try await controller.result(of: id)
            #expect(refused.status == .refused && refused.error?.code == .invalidArgument)
            #expect(refused.error?.message.hasPrefix(message) == true, "\(refused.error?.message ?? "")")
        }
        #expect(driver.calls.isEmpty)
        #expect(orders.indices.allSatisfy { controller.lines.accepted("c\($0)").isEmpty })
        await rig.stop()
    }

    @Test func `schemas that would crowd out the hello are left away, the catalogue stays`() async throws {
        let controller = try await ScriptedController()
        let wide = (0..<400).map { number in
            ActionSpec("thing.\(number)", .observe, summary: "looks").taking(
                [.text("name", String(repeating: long, count: 7))])
        }
        let rig = try await AgentRig(controller, driver: ScriptedDriver(actions: wide))
        try await controller.waitForSession()
        let catalogue = try #require(controller.lines.hellos.last?.drivers.first?.catalogue)
        #expect(catalogue.count == 400 && catalogue.allSatisfy { $0.arguments == nil })
        await rig.stop()
    }

    @Test func `catalogues that would crowd out the hello are left away, the operations stay`() async throws {
        let controller = try await ScriptedController()
        let many = (0..<512).map {
            ActionSpec("thing.\(String(repeating: "x", count: 110)).\($0)", .observe, summary: long)
        }
        let rig = try await AgentRig(controller, driver: ScriptedDriver(actions: many))
        try await controller.waitForSession()
        let report = try #require(controller.lines.hellos.last?.drivers.first { $0.name == "scripted" })
        #expect(report.operations.count == 512)
        #expect(report.catalogue?.count == 512 || report.catalogue == nil)
        await rig.stop()
    }

    private var long: String { String(repeating: "ü", count: 120) }

    @Test func `the audit log stays bounded however much is denied`() async throws {
        let folder = try ScratchFolder("audit")
        let thread = DiskThread()
        let audit = Audit(path: folder.file("audit.log"), thread: thread, limit: 4096)
        for number in 1...200 {
            try await audit.write(
                AuditRecord(
                    command: "c\(number)", operation: "docker.container.exec", resource: "docker/x", denial: "no",
                    trace: "op_\(number)", by: "key:k\n"))
        }
        let (now, before) = (try folder.read("audit.log"), try folder.read("audit.log.1"))
        #expect(now.count + before.count < 3 * 4096)
        let lines = String(decoding: before + now, as: UTF8.self).split(separator: "\n")
        let last = try #require(lines.last)
        #expect(last.contains("command=c200 "))
        #expect(
            lines.allSatisfy { $0.hasPrefix("time=") && $0.contains("by=") }, "a name cannot begin a line of its own")
    }
}
