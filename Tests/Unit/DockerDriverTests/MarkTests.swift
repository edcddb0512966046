import DriverKit
import TestSupport
import Testing
import WireProtocol

@testable import DockerDriver

/// Whose a container, network or volume is, on a real engine.
@Suite struct MarkTests {
    private static let own: JSONObject = ["mark": ["service": "svc_1"]]

    private func foreign(
        _ bench: Workbench, _ action: String, _ resource: String, _ arguments: JSONObject, _ mark: JSONValue
    ) async -> Bool {
        var arguments = arguments
        arguments["mark"] = mark
        let call = ActionCall(action: action, resource: resource, arguments: arguments)
        do throws(DriverError) {
            _ = try await bench.driver.perform(call, Record().context)
            return false
        } catch { return error.code == .foreign }
    }

    private func expectForeign(_ bench: Workbench, _ name: String, _ mark: JSONValue, _ why: Comment) async throws {
        let before = try await bench.state(name)
        for (action, more) in [
            ("container.stop", [:]), ("container.start", [:]), ("container.restart", [:]),
            ("container.update", ["pids": 77]), ("container.remove", ["force": true, "unmanaged": true]),
            (
                "container.ensure",
                ["image": .string(Workbench.image), "command": ["/bin/sleep", "100000"], "replace": true]
            ),
        ] as [(String, JSONObject)] {
            var arguments = more
            arguments["name"] = .string(name)
            #expect(await foreign(bench, action, "docker/\(name)", arguments, mark), "\(action): \(why)")
        }
        #expect(try await bench.state(name)["id"] == before["id"], why)
    }

    @Test func `a container bears its mark from its creation, and only that mark changes it`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("marked")
        try await bench.ensure(name, Self.own)
        try await expectForeign(bench, name, ["service": "svc_2"], "another's service")
        try await expectForeign(bench, name, ["service": "svc_1", "nonce": "other"], "another making")
        var stop = Self.own
        stop["name"] = .string(name)
        stop["grace_s"] = 0
        #expect(try await bench.perform("container.stop", stop).changed)
        let exact: JSONObject = ["name": .string(name), "mark": ["service": "svc_1", "nonce": "cmd_test"]]
        #expect(try await bench.perform("container.remove", exact).changed)
        #expect(try await !bench.perform("container.remove", exact).changed, "gone already")
    }

    @Test func `a stranger's container and a copy that took the labels along are nobody's`() async throws {
        let bench = try await Workbench()
        let (name, copy) = (Workbench.name("original"), Workbench.name("copy"))
        try await bench.ensure(name, Self.own)
        let labels: JSONValue = [
            "innkeeper.service": "svc_1", "innkeeper.command": "cmd_test", "innkeeper.name": .string(name),
        ]
        for (label, why) in [([:], "a stranger's"), (labels, "a copy")] as [(JSONValue, String)] {
            _ = try await bench.driver.engine.call(
                "POST", "/containers/create", query: [("name", copy)],
                body: [
                    "Image": .string(Workbench.image), "Cmd": ["/bin/sleep", "100000"], "Labels": label,
                    "HostConfig": ["NetworkMode": "none"],
                ])
            try await expectForeign(bench, copy, ["service": "svc_1"], "\(why)")
            try await bench.remove(copy)
        }
        try await bench.remove(name)
    }

    @Test func `networks and volumes bear marks as well`() async throws {
        let bench = try await Workbench()
        for noun in ["volume", "network"] {
            let name = Workbench.name("marked-\(noun)")
            let resource = "docker/\(noun)/\(name)"
            let named: JSONObject = ["name": .string(name)]
            var own = named
            own["mark"] = ["service": "svc_1", "nonce": "n1"]
            if noun == "network" { own["internal"] = true }
            let make = ActionCall(action: "\(noun).ensure", resource: resource, arguments: own)
            // The engine of a machine for tests may not be able to make networks.
            guard (try? await bench.driver.perform(make, Record().context)) != nil else {
                #expect(noun == "network")
                continue
            }
            for mark in [["service": "svc_2"], ["service": "svc_1", "nonce": "n2"]] as [JSONValue] {
                #expect(await foreign(bench, "\(noun).remove", resource, named, mark))
                #expect(await foreign(bench, "\(noun).ensure", resource, named, mark))
            }
            var end = named
            end["mark"] = ["service": "svc_1", "nonce": "n1"]
            let remove = ActionCall(action: "\(noun).remove", resource: resource, arguments: end)
            #expect(try await bench.driver.perform(remove, Record().context).changed)
        }
    }
}
