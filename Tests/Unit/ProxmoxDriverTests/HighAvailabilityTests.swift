import DriverKit
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

@Suite struct HighAvailabilityTests {
    @Test func `what does not run is not started by being looked after`() async throws {
        let node = try await EmulatedNode(["ha_manager": true, "ha_delay": 0])
        try await node.create()
        let end = try await node.perform("ha.add")
        #expect(end.changed && end.observed["state"] == "stopped")
        try await node.pct("list")
        #expect(try await node.perform("container.inspect").observed["status"] == "stopped")
        #expect(try await !node.perform("ha.add").changed)
        #expect(try await node.perform("ha.add", ["max_restart": 3]).observed["max_restart"] == "3")
        #expect(try await node.perform("ha.remove").changed)
        #expect(try await !node.perform("ha.remove").changed)
    }

    @Test func `where it should run is a rule, which goes with it`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let wish: JSONObject = ["nodes": [["node": "pvelab", "priority": 2], ["node": "pveb"]], "strict": true]
        #expect(try await node.perform("ha.add", wish).observed["rules"] == ["innkeeper-ct-101"])
        #expect(try await !node.perform("ha.add", wish).changed)
        let rules = try await node.ask("ha.rule.list")["rules"]?.asArray
        #expect(rules?.first?["nodes"] == ["pveb", "pvelab:2"] && rules?.first?["strict"] == "1")
        #expect(try await node.perform("ha.add", ["nodes": [["node": "pveb"]]]).changed)
        try await node.perform("ha.remove")
        #expect(try await node.ask("ha.rule.list")["rules"] == [])
    }

    @Test func `before version 9 it is a group`() async throws {
        let node = try await EmulatedNode(["version": "8.4.1"])
        try await node.create()
        let wish: JSONObject = ["nodes": [["node": "pvelab"]]]
        let end = try await node.perform("ha.add", wish)
        #expect(end.observed["group"] == "innkeeper-ct-101")
        #expect(try await !node.perform("ha.add", wish).changed)
        #expect(node.text("etc/pve/ha/groups.cfg")?.contains("nodes pvelab") == true)
        let error = await #expect(throws: DriverError.self) {
            try await node.ask(
                "ha.rule.ensure", ["rule": "pair", "kind": "apart", "containers": [101, 102]], on: "proxmox/ha/pair")
        }
        #expect(error?.code == .unsupported)
        try await node.perform("ha.remove")
        #expect(node.text("etc/pve/ha/groups.cfg")?.contains("innkeeper") == false)
    }

    @Test func `rules keep containers together or apart`() async throws {
        let node = try await EmulatedNode()
        for vmid in [101, 102] {
            try await node.create(vmid)
            if vmid == 101 { try await node.perform("ha.add") }
        }
        let wish: JSONObject = ["rule": "pair", "kind": "apart", "containers": [101, 102]]
        func ensure(_ arguments: JSONObject) async throws(DriverError) -> ActionOutcome {
            try await node.outcome("ha.rule.ensure", arguments, on: "proxmox/ha/pair")
        }
        let stranger = await #expect(throws: DriverError.self) { try await ensure(wish) }
        #expect(stranger?.code == .conflict)
        try await node.perform("ha.add", on: 102)
        #expect(try await ensure(wish).observed["affinity"] == "negative")
        #expect(try await !ensure(wish).changed)
        let other = await #expect(throws: DriverError.self) {
            try await ensure(["rule": "pair", "kind": "nodes", "containers": [101], "nodes": [["node": "pveb"]]])
        }
        #expect(other?.code == .conflict)
        #expect(try await node.outcome("ha.rule.destroy", ["rule": "pair"], on: "proxmox/ha/pair").changed)
        #expect(try await !node.outcome("ha.rule.destroy", ["rule": "pair"], on: "proxmox/ha/pair").changed)
        for bad: JSONObject in [["rule": "pair", "kind": "apart", "containers": [101]], ["rule": "pair"]] {
            let error = await #expect(throws: DriverError.self) { try await ensure(bad) }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func `a rule that is off keeps nothing, and is switched on again`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        try await node.perform("ha.add")
        let wish: JSONObject = ["rule": "keep", "kind": "nodes", "containers": [101], "nodes": [["node": "pvelab"]]]
        func ensure() async throws(DriverError) -> ActionOutcome {
            try await node.outcome("ha.rule.ensure", wish, on: "proxmox/ha/keep")
        }
        #expect(try await ensure().changed)
        for off in ["disable", "disable 1", "disable 0"] {
            try node.write(
                "node-affinity: keep \n\t\(off)\n\tnodes pvelab\n\tresources ct:101 \n", to: "etc/pve/ha/rules.cfg")
            #expect(try await node.ask("ha.rule.list")["rules"]?.asArray?.first?["disable"] != nil)
            #expect(try await ensure().changed, "\(off)")
            #expect(try await !ensure().changed)
        }
    }

    @Test func `without a CRM a start is no success, and what may come of it is told and can be taken back`()
        async throws
    {
        let node = try await EmulatedNode()
        try await node.create()
        let added = try await node.perform("ha.add").observed
        #expect(added["manager"]?["state"] == "absent" && added["manager"]?["note"] != nil)
        let absent = await #expect(throws: DriverError.self) { try await Self.start(node) }
        #expect(absent?.code == .unavailable && absent?.retryable == true && absent?.changed == true)
        #expect(absent?.message.contains("none runs in this cluster") == true)
        #expect(try await node.perform("container.inspect").observed["ha_wish"] == "started")
        // It does not run, and yet a stop has something to do: else it would start some day.
        #expect(try await node.perform("container.stop").changed)
        #expect(try await node.perform("container.inspect").observed["ha_wish"] == "stopped")
        #expect(try await !node.perform("container.stop").changed)
        try node.write(#"{"master_node": "pveb", "timestamp": 1764000000}"#, to: "etc/pve/ha/manager_status")
        let silent = await #expect(throws: DriverError.self) { try await Self.start(node) }
        #expect(silent?.code == .unavailable && silent?.message.contains("the last was on node pveb") == true)
        let status = try await node.ask("ha.status")
        #expect(status["manager"]?["state"] == "silent" && status["armed"] == false)
    }

    /// Starts a container without waiting long for the HA manager.
    private static func start(_ node: EmulatedNode) async throws(DriverError) {
        let impatient = ProxmoxDriver(
            tools: ProxmoxTools(root: node.folder.path, patience: .milliseconds(300)), files: node.driver.files,
            version: "9.2.11")
        let call = ActionCall(
            action: "container.start", resource: "proxmox/ct/101", arguments: ["vmid": 101])
        _ = try await impatient.perform(call, EmulatedNode.context())
    }

    @Test func `an active CRM that takes its time may still do it`() async throws {
        let node = try await EmulatedNode(["ha_manager": true, "ha_delay": 1_000_000])
        try await node.create()
        try await node.perform("ha.add")
        let error = await #expect(throws: DriverError.self) { try await Self.start(node) }
        #expect(error?.code == .timedOut && error?.observed["manager"]?["state"] == "active")
    }

    @Test func `the manager's state is told`() async throws {
        let node = try await EmulatedNode(["ha_manager": true])
        try await node.create()
        try await node.perform("ha.add")
        let status = try await node.ask("ha.status")
        #expect(status["quorate"] == true && status["master"] == "pvelab")
        #expect(status["services"]?.asArray?.first?["service"] == "ct:101")
        #expect(status["services"]?.asArray?.first?["state"] == "stopped")
    }

    @Test func `a file of sections is read as it is written`() {
        let file = SectionFile(
            """
            ct:101
            \tstate started
            \tcomment a  b c

            vm: 102
            \tstate ignored
            node-affinity: one\u{20}
              nodes a:2,b \t
            \tdisable
            \t# comment
            """)
        #expect(file["one"]?.isOn("disable") == true && file["one"]?.values.count == 2)
        #expect(file["ct", "101"]?.values == ["state": "started", "comment": "a  b c"])
        #expect(file["vm", "102"]?.values["state"] == "ignored")
        #expect(file["one"]?.list("nodes") == ["a:2", "b"])
    }
}
