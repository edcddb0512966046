import DriverKit
import Logging
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import DockerDriver

/// Containers that an engine makes after the command that asked for them was given up.
@Suite struct AbandonedCreationTests {
    /// An engine that takes a creation and does not answer it; what it holds is written by the test.
    final class SlowEngine: Sendable {
        let folder: ScratchFolder
        let server: ScriptedServer
        let driver: DockerDriver
        private let held = Held()

        init() throws {
            let folder = try ScratchFolder("engine")
            self.folder = folder
            let held = held
            server = try ScriptedServer(unixSocket: folder.file("docker.sock")) { held.answer($0) }
            driver = DockerDriver(socket: folder.file("docker.sock"))
        }

        final class Held: Sendable {
            let containers = Mutex<[String: (command: String, state: String)]>([:])

            func answer(_ request: ScriptedServer.Request) -> [ScriptedServer.Step] {
                let words = request.line.split(separator: " ")
                let path = words[1].prefix { $0 != "?" }.split(separator: "/").dropFirst().map(String.init)
                switch (words[0], path.last) {
                case ("GET", _) where request.line.contains("/version"):
                    return [.respond(200, ScriptedEngineTests.version)]
                case ("POST", "create"): return [.hold]
                case ("DELETE", let name?):
                    let gone = containers.withLock { $0.removeValue(forKey: name) }
                    return [.respond(gone == nil ? 404 : 204, "{}")]
                case ("GET", "networks"): return [.respond(200, "[]")]
                case ("GET", "json") where path.count == 2: return [.respond(200, list)]
                case ("GET", "json"): return one(path[1])
                case ("POST", _): return [.respond(204, "")]
                default: return [.respond(404, #"{"message":"no such image"}"#)]
                }
            }

            private var list: String {
                containers.withLock { held in
                    "["
                        + held.map { name, one in
                            #"{"Id":"\#(name)","Names":["/\#(name)"],"State":"\#(one.state)","Image":"a:1","#
                                + #""Labels":{"innkeeper.service":"\#(name)","innkeeper.command":"\#(one.command)"}}"#
                        }.joined(separator: ",") + "]"
                }
            }

            private func one(_ name: String) -> [ScriptedServer.Step] {
                guard let found = containers.withLock({ $0[name] }) else {
                    return [.respond(404, #"{"message":"No such container: \#(name)"}"#)]
                }
                let body =
                    #"{"Id":"\#(name)","Name":"/\#(name)","State":{"Status":"\#(found.state)"},"Config":{"Image":"a:1","#
                    + #""Labels":{"innkeeper.service":"\#(name)","innkeeper.command":"\#(found.command)"}},"#
                    + #""HostConfig":{"NetworkMode":"none","PidsLimit":4096,"RestartPolicy":{"Name":"unless-stopped"}}}"#
                return [.respond(200, body)]
            }
        }

        /// The engine carries a creation out.
        func make(_ name: String, by command: String, state: String = "created") {
            held.containers.withLock { $0[name] = (command, state) }
        }

        var names: [String] { held.containers.withLock { $0.keys.sorted() } }

        func ensure(_ name: String, by command: String) async throws(DriverError) -> ActionOutcome {
            let call = ActionCall(
                action: "container.ensure", resource: "docker/\(name)",
                arguments: ["name": .string(name), "image": "a:1", "running": false])
            return try await driver.perform(call, ActionContext(commandID: command, logger: Logger(label: "test")))
        }

        /// Orders a container and gives the order up while the engine has it.
        func abandon(_ name: String, by command: String) async throws {
            let task = Task { try await ensure(name, by: command) }
            let asked = "create?name=\(name)"
            #expect(await eventually { self.server.requests.contains { $0.line.contains(asked) } })
            task.cancel()
            let error = await #expect(throws: DriverError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func `a container that comes late is nobody's, and removed once, but not by a look`() async throws {
        let engine = try SlowEngine()
        try await engine.abandon("late", by: "c1")
        #expect(try await engine.driver.inventory() == [])
        engine.make("late", by: "c1")
        engine.make("other", by: "c0")
        #expect(try await engine.driver.inventory().map(\.resource) == ["docker/other"])
        #expect(engine.names == ["late", "other"])
        #expect(!engine.server.requests.contains { $0.line.contains("DELETE") })
        await engine.driver.removeLate()
        #expect(engine.names == ["other"])
        #expect(!engine.server.requests.contains { $0.line.contains("DELETE") && $0.line.contains("force") })
        // Once only: the id stands for nothing any more.
        engine.make("late", by: "c1")
        await engine.driver.removeLate()
        #expect(try await engine.driver.inventory().count == 2)
    }

    @Test func `one that runs by now is somebody's and stays`() async throws {
        let engine = try SlowEngine()
        try await engine.abandon("late", by: "c1")
        engine.make("late", by: "c1", state: "running")
        await engine.driver.removeLate()
        #expect(try await engine.driver.inventory().count == 1)
        #expect(engine.names == ["late"])
    }

    @Test func `one that a newer command has adopted stays`() async throws {
        let engine = try SlowEngine()
        try await engine.abandon("late", by: "c1")
        engine.make("late", by: "c1")
        let outcome = try await engine.ensure("late", by: "c2")
        #expect(!outcome.changed)
        await engine.driver.removeLate()
        #expect(try await engine.driver.inventory().count == 1)
        #expect(engine.names == ["late"])
    }

    @Test func `a newer command that works on the name is not disturbed`() async throws {
        let engine = try SlowEngine()
        try await engine.abandon("late", by: "c1")
        let second = Task { try await engine.ensure("late", by: "c2") }
        #expect(
            await eventually { engine.server.requests.filter { $0.line.contains("create?name=late") }.count == 2 })
        engine.make("late", by: "c1")
        await engine.driver.removeLate()
        #expect(try await engine.driver.inventory().count == 1)
        second.cancel()
        _ = await second.result
        await engine.driver.removeLate()
        #expect(engine.names == [])
    }

    @Test func `commands of an earlier life are remembered, those of other operations are not`() async throws {
        let engine = try SlowEngine()
        await engine.driver.recover([
            AbandonedCommand(id: "c1", action: "container.ensure", resource: "docker/late"),
            AbandonedCommand(id: "c2", action: "container.start", resource: "docker/kept"),
        ])
        engine.make("late", by: "c1")
        engine.make("kept", by: "c2")
        #expect(try await engine.driver.inventory().map(\.resource) == ["docker/kept"])
    }

    @Test func `the label is the agent's own`() async throws {
        let engine = try SlowEngine()
        let call = ActionCall(
            action: "container.ensure", resource: "docker/x",
            arguments: ["name": "x1", "image": "a:1", "labels": ["innkeeper.command": "c9"]])
        let error = await #expect(throws: DriverError.self) {
            try await engine.driver.perform(call, Record().context)
        }
        #expect(error?.code == .invalidArgument)
    }
}
