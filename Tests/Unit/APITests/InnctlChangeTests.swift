import APIModels
import Glibc
import Model
import Store
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import API
@testable import HTTP

/// What a change leaves as it was, what is not done twice, and what somebody who waits is told.
@Suite struct InnctlChangeTests {
    @Test func `what was done before is not done again, and said so`() async throws {
        try await OpenHouse.with { open in
            let house = open.house
            let order = ["service", "create", "--plan", "small", "--customer", "c1", "--external-id", "e1"]
            _ = try await house.addService()
            #expect(try await open.innctl(order, loggedIn: true).code == 0)
            let id = try #require(await house.store.service(externalID: "e1")?.id)
            try await house.end(of: id, .running)
            let again = try await open.innctl(order + ["--wait"], loggedIn: true)
            #expect(again.code == 0 && again.error.contains("is running already; nothing was done"), "\(again.error)")
            #expect(!again.error.contains("step "))
            #expect(try await open.innctl(order + ["-q"], loggedIn: true).output == "\(id)\n")
            try await house.store.updateService(id, at: house.clock.time) { $0.state = .terminated }
            let gone = try await open.innctl(order + ["--wait"], loggedIn: true)
            #expect(gone.code == 5 && gone.error.contains("is terminated"), "\(gone.error)")
        }
    }

    @Test func `an operation names the key that asked, to those who may know of keys`() async throws {
        try await OpenHouse.with { open in
            _ = try await open.house.addService()
            let order = ["service", "create", "--plan", "small", "--customer", "c1", "--external-id", "e1"]
            #expect(try await open.innctl(order, loggedIn: true).code == 0)
            let key = "test"
            let list = ["operation", "list", "--service", "e1"]
            let shown = try await open.innctl(list, loggedIn: true)
            #expect(shown.output.contains(key) && shown.output.contains(" e1 "), "\(shown.output)")
            let reader = try await open.house.key("read")
            let seen = try await open.innctl(list, environment: ["INNKEEPER_KEY": reader], loggedIn: true)
            #expect(seen.code == 0 && !seen.output.contains(key) && seen.output.contains("key:"), "\(seen.output)")
        }
    }

    @Test func `what no flag names stays in a plan, secrets included, and a shown plan is a file for another`()
        async throws
    {
        try await OpenHouse.with { open in
            let house = open.house
            func apply(_ words: String...) async throws -> Run {
                try await open.innctl(["plan", "apply"] + words, loggedIn: true)
            }
            let first = try await apply(
                "small", "--image", "busybox:1", "--memory", "64MiB", "--cpu", "0.5", "--disk", "128MiB", "--env",
                "TOKEN=hunter2", "--image-tar", "/var/lib/b.tar", "--", "sleep", "1000")
            #expect(first.code == 0, "\(first.error)")
            let variables = try house.folder.write(Array("OTHER=x\n".utf8), to: "variables.env")
            #expect(try await apply("small", "--memory", "96MiB").code == 0)
            #expect(try await apply("small", "--env-file", variables).code == 0)
            var spec = try #require(await house.store.plan("small")?.spec)
            #expect(spec["env"] == ["TOKEN": "hunter2", "OTHER": "x"] && spec["command"] == ["sleep", "1000"])
            #expect(spec["memory_bytes"] == 100_663_296 && spec["image_tar"] == "/var/lib/b.tar")
            #expect(try await apply("small", "--unset", "env.TOKEN", "--unset", "image_tar").code == 0)
            spec = try #require(await house.store.plan("small")?.spec)
            #expect(spec["env"] == ["OTHER": "x"] && spec["image_tar"] == nil)
            #expect(try await apply("small", "--unset", "nothing").code == 2)
            #expect(try await apply("small", "--unset", "env.OTHER").code == 0)
            let shown = try await open.innctl("plan", "show", "small", "-o", "json", loggedIn: true).output
            let file = try house.folder.write(Array(shown.utf8), to: "plan.json")
            #expect(try await apply("copy", "--file", file).code == 0)
            #expect(try await house.store.plan("copy")?.spec["command"] == ["sleep", "1000"])
            // A file is all of a plan.
            let bare = #"{"image":"busybox:2","memory_bytes":67108864,"cpu_millis":100,"disk_bytes":67108864}"#
            let other = try house.folder.write(Array(bare.utf8), to: "bare.json")
            #expect(try await apply("copy", "--file", other).code == 0)
            #expect(try await house.store.plan("copy")?.spec["command"] != ["sleep", "1000"])
            let many = try await apply("small", "--cpu", "50")
            #expect(many.error.contains("50 whole cores"), "\(many.error)")
            let fresh = try await apply("fresh", "--memory", "1GiB")
            #expect(fresh.code == 2 && fresh.error.contains("there is no plan fresh"), "\(fresh.error)")
        }
    }

    @Test func `events go on when the controller comes back, and no line says that a thing is gone`() async throws {
        let node =
            #"{"id":"nod_1","name":"alpha","state":"connected","schedulable":true,"labels":{},"#
            + #""enrolled_at":"2026-11-30T00:00:00Z"}"#
        let event = "id: 1-2\nevent: change\ndata: {\"kind\":\"node\",\"id\":\"nod_1\"}\n\n"
        let looks = Mutex(0)
        let server = try ScriptedServer { request in
            if request.line.contains("/api/v1/events") {
                return [
                    .text("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + event)
                ]
            }
            let number = looks.withLock { looks in
                looks += 1
                return looks
            }
            // Away for all attempts of the first look.
            return number <= 3 ? [.respond(503, "")] : [.respond(200, node)]
        }
        defer { server.stop() }
        let folder = try ScratchFolder("innctl")
        let log = folder.file("events.log")
        let program = try BackgroundProgram(
            "env",
            ["HOME=\(folder.path)", "INNKEEPER_URL=\(server.url)", "INNKEEPER_KEY=k", OpenHouse.program, "events"],
            log: log)
        let isTold = await eventually { program.output.contains("node alpha is connected") }
        await program.stop()
        #expect(isTold, "\(program.output)")
        #expect(!program.output.contains("is gone") && !program.output.contains("cannot be read"))
    }

    @Test func `a kind of events that there is not is refused with those that there are`() async throws {
        try await OpenHouse.with { open in
            let refused = try await open.innctl("events", "--kind", "servise", loggedIn: true)
            #expect(refused.code == 2 && refused.error.contains("did you mean \"service\"?"), "\(refused.error)")
        }
    }

    @Test func `whoever interrupts the waiting hears that the operation goes on`() async throws {
        try await OpenHouse.with { open in
            let id = try await open.house.addService().operation.id
            let log = open.house.folder.file("watch.log")
            let program = try open.started(["operation", "watch", id], log: log)
            #expect(await eventually { program.output.contains("provision \(id) queued") }, "\(program.output)")
            program.signal(SIGINT)
            #expect(await eventually { program.output.contains("operation \(id) goes on; follow it") })
            await program.stop()
            #expect(try await open.house.store.operation(id)?.state == .queued)
        }
    }
}
