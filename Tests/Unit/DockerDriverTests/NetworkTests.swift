import DockerDriver
import DriverKit
import TestSupport
import Testing
import WireProtocol

@Suite struct NetworkTests {
    /// Address ranges that do not meet those of other engines on this machine.
    static func range() -> String { "10.\(Int.random(in: 100...250)).\(Int.random(in: 0...255)).0/28" }

    @Test func `a network is made once, and its twin of another kind is a conflict`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("net")
        let wish: JSONObject = ["name": .string(name), "subnet": .string(Self.range()), "service": "svc_1"]
        let first = try await bench.perform("network.ensure", wish)
        #expect(first.changed)
        #expect(first.observed["subnets"] == .array([wish["subnet"]!]))
        #expect(try await !bench.perform("network.ensure", wish).changed)
        for other: JSONObject in [
            ["name": .string(name), "service": "svc_2"],
            ["name": .string(name), "service": "svc_1", "internal": true],
            ["name": .string(name), "service": "svc_1", "subnet": "192.0.2.0/24"],
        ] {
            let error = await #expect(throws: DriverError.self) { try await bench.perform("network.ensure", other) }
            #expect(error?.code == (other["service"] == "svc_2" ? .foreign : .conflict))
        }
        let listed = try await bench.perform("network.list", [:]).observed["networks"]?.asArray ?? []
        #expect(listed.filter { $0["name"] == .string(name) }.count == 1)
        #expect(try await bench.perform("network.remove", ["name": .string(name)]).changed)
        #expect(try await !bench.perform("network.remove", ["name": .string(name)]).changed)
    }

    @Test func `ten requests for one network make one`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("race")
        let changes = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<10 {
                group.addTask { try await bench.perform("network.ensure", ["name": .string(name)]).changed }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(changes == 1)
        let listed = try await bench.perform("network.list", [:]).observed["networks"]?.asArray ?? []
        #expect(listed.filter { $0["name"] == .string(name) }.count == 1)
        try await bench.perform("network.remove", ["name": .string(name)])
    }

    @Test func `a network with a stopped container stays, removed or pruned`() async throws {
        let bench = try await Workbench()
        let (name, container) = (Workbench.name("held"), Workbench.name("holder"))
        try await bench.perform("network.ensure", ["name": .string(name)])
        try await bench.ensure(container, ["network": .string(name), "running": false])
        let error = await #expect(throws: DriverError.self) {
            try await bench.perform("network.remove", ["name": .string(name)])
        }
        #expect(error?.code == .busy)
        #expect(error?.message.contains(container) == true)
        try await bench.perform("network.prune", [:])
        #expect(try await bench.perform("network.inspect", ["name": .string(name)]).observed["name"] == .string(name))
        try await bench.remove(container)
        try await bench.perform("network.remove", ["name": .string(name)])
    }

    @Test func `containers go in and out of networks`() async throws {
        let bench = try await Workbench()
        let (name, container) = (Workbench.name("join"), Workbench.name("member"))
        try await bench.perform("network.ensure", ["name": .string(name)])
        let home = Workbench.name("home")
        try await bench.perform("network.ensure", ["name": .string(home)])
        try await bench.ensure(container, ["network": .string(home)])
        let both: JSONObject = ["network": .string(name), "name": .string(container)]
        #expect(try await bench.perform("network.connect", both).changed)
        #expect(try await !bench.perform("network.connect", both).changed)
        let seen = try await bench.perform("network.inspect", ["name": .string(name)]).observed
        #expect(seen["containers"] == [.string(container)])
        #expect(try await bench.perform("network.disconnect", both).changed)
        #expect(try await !bench.perform("network.disconnect", both).changed)
        try await bench.remove(container)
        for network in [name, home] { try await bench.perform("network.remove", ["name": .string(network)]) }
    }

    @Test(arguments: ["", "-x", "a/b", "a b", "bridge", "host", "../x"])
    func `names that are no networks are refused before the engine hears of them`(name: String) async throws {
        let driver = Workbench.driver("/nonexistent/docker.sock")
        let call = ActionCall(action: "network.ensure", resource: "docker/x", arguments: ["name": .string(name)])
        let error = await #expect(throws: DriverError.self) { try await driver.perform(call, Record().context) }
        #expect(error?.code == .invalidArgument)
    }
}
