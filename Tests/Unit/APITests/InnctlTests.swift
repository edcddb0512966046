import APIModels
import HTTPTypes
import Model
import Processes
import Store
import TestSupport
import Testing
import Transport
import WireProtocol
@testable import API
@testable import HTTP

/// The command line as a process of its own, against a server over TLS.
@Suite struct InnctlTests {
    @Test func `the login is stored for its owner alone, and used from then on`() async throws {
        try await OpenHouse.with { open in
            let login = try await open.innctl("login", "--url", open.url + "/", loggedIn: true)
            #expect(login.code == 0, "\(login.error)")
            let path = open.house.folder.file("home/.config/innkeeper/innctl.json")
            let list = try await open.innctl("node", "list", environment: ["HOME": open.house.folder.file("home")])
            #expect(list.code == 0, "\(list.error)")
            #expect(list.output.hasPrefix("NAME"))
            let mode = try await Child.run(ProcessRequest("stat", ["-c", "%a", path]))
            #expect(String(decoding: mode.stdout, as: UTF8.self) == "600\n")
            _ = try await Child.run(ProcessRequest("chmod", ["644", path]))
            let open644 = try await open.innctl("node", "list", environment: ["HOME": open.house.folder.file("home")])
            #expect(open644.code == 4 && open644.error.contains("chmod 600"))
        }
    }

    @Test func `a service is ordered, shown and followed to its end`() async throws {
        try await OpenHouse.with { open in
            let plan = try await open.innctl(
                "plan", "apply", "small", "--image", "busybox:1", "--memory", "64MiB", "--cpu", "0.5", "--disk",
                "128MiB", "--", "sleep", "1000", loggedIn: true)
            #expect(plan.code == 0, "\(plan.error)")
            #expect(plan.output.contains("sleep 1000") && plan.output.contains("64 MiB"))
            async let created = open.innctl(
                "service", "create", "--plan", "small", "--customer", "c1", "--external-id", "e1", "--watch",
                loggedIn: true)
            let house = open.house
            #expect(await eventually { (try? await house.store.service(externalID: "e1")) ?? nil != nil })
            let service = try #require(await house.store.service(externalID: "e1"))
            let id = try #require(await house.store.unfinishedOperations(service: service.id).first?.id)
            try await OperationTests.journal(house, id, OperationTests.begun)
            try await house.end(of: service.id, .running)
            let outcome = try await created
            #expect(outcome.code == 0, "\(outcome.error)")
            #expect(
                outcome.error.contains("step 2 of 5 + dataset done")
                    && outcome.error.contains("provision \(id) succeeded"))
            #expect(outcome.output.contains("is running"))
            let json = try await open.innctl("service", "show", "e1", "-o", "json", loggedIn: true)
            #expect(try JSONParser.parse(json.output)["state"] == "running")
            let shown = try await open.innctl("operation", "show", id, loggedIn: true)
            #expect(shown.output.contains("container") && shown.output.contains("ATTEMPTS"))
        }
    }

    @Test(arguments: [
        (OperationRecord.State.failed, Int32(1)), (.needsAttention, 7), (.cancelled, 8), (.succeeded, 0),
    ])
    func `the exit code tells how an operation ended`(state: OperationRecord.State, code: Int32) async throws {
        try await OpenHouse.with { open in
            let id = try await open.house.addService().operation.id
            try await open.house.store.updateOperation(id) { operation in
                operation.state = state
                if state == .failed {
                    operation.error = OperationFailure(code: "x", message: "the disk is full", retryable: false)
                }
            }
            let outcome = try await open.innctl("operation", "watch", id, loggedIn: true)
            #expect(outcome.code == code, "\(outcome.error)")
            if state == .failed { #expect(outcome.error.contains("the disk is full")) }
        }
    }

    @Test func `exit codes tell scripts what went wrong, and people get one sentence`() async throws {
        try await OpenHouse.with { open in
            let reader = try await open.house.key("read")
            let cases: [(arguments: [String], key: String?, code: Int32)] = [
                (["node", "show", "none"], nil, 3), (["token", "create"], reader, 4),
                (["node", "list"], "ikk1.a.b", 4),
                (["service", "resume", "none"], nil, 3), (["node", "frob"], nil, 2),
                (["service", "upgrade", "x"], nil, 2),
                (["plan", "apply", "x", "--memory", "many"], nil, 2),
                (["key", "create", "x", "--scope", "all"], nil, 2),
                (["operation", "list", "--limit", "0"], nil, 2),
            ]
            for (arguments, key, code) in cases {
                var environment: [String: String] = [:]
                if let key { environment["INNKEEPER_KEY"] = key }
                let outcome = try await open.innctl(arguments, environment: environment, loggedIn: true)
                #expect(outcome.code == code, "\(arguments): \(outcome.error)")
                #expect(outcome.output.isEmpty)
                if code != 2 { #expect(outcome.error.split(separator: "\n").count == 1) }
            }
            let nowhere = try await open.innctl(
                "node", "list", environment: ["INNKEEPER_URL": "https://127.0.0.1:1"], loggedIn: true)
            #expect(nowhere.code == 6)
            let plain = try await open.innctl(
                "node", "list", environment: ["INNKEEPER_URL": "http://example.org"], loggedIn: true)
            #expect(plain.code == 2)
        }
    }

    @Test func `a key for one customer shows him his services, and whom it is for`() async throws {
        try await OpenHouse.with { open in
            _ = try await open.house.addService("bill:1")
            _ = try await open.house.ask(
                .post, "/api/v1/services", #"{"external_id":"bill:2","customer":"c2","plan":"small"}"#)
            let made = try await open.innctl(
                "key", "create", "portal", "--scope", "read", "--customer", "c1", loggedIn: true)
            #expect(made.code == 0 && made.error.contains("for customer c1"), "\(made.error)")
            let key = try #require(made.output.split(whereSeparator: \.isWhitespace).first.map(String.init))
            let list = try await open.innctl("service", "list", environment: ["INNKEEPER_KEY": key], loggedIn: true)
            #expect(list.output.contains("bill:1") && !list.output.contains("bill:2"), "\(list.output)\(list.error)")
            let nodes = try await open.innctl("node", "list", environment: ["INNKEEPER_KEY": key], loggedIn: true)
            #expect(nodes.code == 4 && nodes.error.contains("bound to one customer"), "\(nodes.error)")
            let keys = try await open.innctl("key", "list", loggedIn: true)
            #expect(keys.output.contains("CUSTOMER"))
            let wrong = try await open.innctl(
                "key", "create", "x", "--scope", "admin", "--customer", "c1", loggedIn: true)
            #expect(wrong.code == 1 && wrong.error.contains("admin"), "\(wrong.error)")
        }
    }

    @Test func `waiting ends when its time is over, and the operation goes on`() async throws {
        try await OpenHouse.with { open in
            let id = try await open.house.addService().operation.id
            let outcome = try await open.innctl("operation", "watch", id, "--timeout", "1", loggedIn: true)
            #expect(outcome.code == 9)
            #expect(try await open.house.store.operation(id)?.state == .queued)
        }
    }

    @Test func `a plan is changed only as it was looked at`() async throws {
        try await OpenHouse.with { open in
            let sizes = ["--memory", "64MiB", "--cpu", "0.5", "--disk", "128MiB"]
            func apply(_ image: String, _ more: String...) async throws -> Run {
                try await open.innctl(["plan", "apply", "small", "--image", image] + sizes + more, loggedIn: true)
            }
            #expect(try await apply("busybox:1", "--revision", "1").code == 5)
            #expect(try await apply("busybox:1", "--revision", "0").code == 0)
            #expect(try await apply("busybox:2", "--revision", "1").code == 0)
            let stale = try await apply("busybox:3", "--revision", "1")
            #expect(stale.code == 5 && stale.error.contains("plan small was changed meanwhile; look again"))
            #expect(try await open.house.store.plan("small")?.spec["image"] == "busybox:2")
            #expect(try await open.innctl("plan", "delete", "small", "--yes", loggedIn: true).code == 0)
            #expect(try await open.innctl("plan", "delete", "none", "--yes", loggedIn: true).code == 3)
        }
    }

    /// Between the look and the change somebody else has been there.
    @Test(arguments: [
        (200, ["plan", "apply"], "if-match: \"seen\""), (200, ["plan", "delete"], "if-match: \"seen\""),
        (404, ["plan", "apply"], "if-none-match: *"),
    ])
    func `a change states what was seen, and says when that is over`(
        status: Int, words: [String], condition: String
    ) async throws {
        let plan =
            #"{"name":"small","product":"container","revision":3,"spec":\#(House.plan),"#
            + #""changed_at":"2026-11-30T00:00:00Z"}"#
        let server = try ScriptedServer { request in
            guard request.line.hasPrefix("GET") else { return [.respond(412, "")] }
            let body = status == 200 ? plan : ""
            return [
                .text(
                    "HTTP/1.1 \(status) Scripted\r\nETag: \"seen\"\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                )
            ]
        }
        defer { server.stop() }
        let folder = try ScratchFolder("innctl")
        let flags =
            words.last == "delete"
            ? ["--yes"] : ["--image", "busybox:1", "--memory", "64MiB", "--cpu", "0.5", "--disk", "128MiB"]
        let outcome = try await Child.run(
            ProcessRequest(
                OpenHouse.program, words + ["small"] + flags,
                environment: ["HOME": folder.path, "INNKEEPER_URL": server.url, "INNKEEPER_KEY": "k"],
                deadline: .seconds(120)))
        let error = String(decoding: outcome.stderr, as: UTF8.self)
        #expect(outcome.exit == .code(5) && error.contains("plan small was changed meanwhile; look again"), "\(error)")
        #expect(server.requests.count == 2)
        #expect(server.requests.last?.head.lowercased().contains("\r\n\(condition)\r\n") == true)
    }

    @Test func `nodes, tokens and keys are looked after`() async throws {
        try await OpenHouse.with { open in
            try await open.house.addNode()
            let label = try await open.innctl("node", "label", "alpha", "zone=a", "old-", loggedIn: true)
            #expect(label.code == 0 && label.output.contains("zone=a"))
            #expect(try await open.innctl("node", "cordon", "alpha", loggedIn: true).output.contains("cordoned"))
            #expect(try await open.innctl("node", "uncordon", "alpha", loggedIn: true).code == 0)
            let token = try await open.innctl("token", "create", "--uses", "3", "--expires", "15m", loggedIn: true)
            #expect(token.output.hasPrefix("ikt1.tok_") && token.output.split(separator: "\n").count == 1)
            let key = try await open.innctl(
                "key", "create", "ci", "--scope", "read", "--scope", "plans", loggedIn: true)
            let text = key.output.split(separator: "\n").joined()
            let listed = try await open.innctl("key", "list", environment: ["INNKEEPER_KEY": text], loggedIn: true)
            #expect(listed.code == 4)
            #expect(try await open.innctl("key", "list", loggedIn: true).output.contains("plans,read"))
            let revoked = try await open.innctl("node", "revoke", "alpha", "--yes", loggedIn: true)
            #expect(revoked.code == 0 && revoked.output.contains("revoked"))
            let audit = try await open.innctl("audit", loggedIn: true)
            #expect(audit.output.contains("node.revoke") && audit.output.contains("127.0.0.1"))
        }
    }

    @Test func `metrics read as tables and as JSON`() async throws {
        try await OpenHouse.with { open in
            let id = try await MetricsTests.measured(open.house)
            let latest = try await open.innctl("metrics", "service", id, loggedIn: true)
            #expect(latest.code == 0 && latest.output.contains("memory.used   102"), "\(latest.error)")
            let json = try await open.innctl("metrics", "node", "alpha", "-o", "json", loggedIn: true)
            #expect(try JSONParser.parse(json.output)["values"]?["host.cpu.user"]?.asNumber == 2)
        }
    }

    @Test func `what a node reports cannot steer the terminal`() async throws {
        try await OpenHouse.with { open in
            let id = try await open.house.addService().operation.id
            try await open.house.store.appendLog(
                id, [OperationLogLine(time: open.house.clock.time, level: "output", text: "a\u{1B}[2Jb")])
            let log = try await open.innctl("operation", "log", id, loggedIn: true)
            #expect(log.output.contains("a\u{FFFD}[2Jb") && !log.output.contains("\u{1B}"))
        }
    }
}

/// How a run of the command line ended.
struct Run: Sendable {
    let code: Int32
    let output: String
    let error: String
}

extension OpenHouse {
    func innctl(
        _ arguments: String..., environment: [String: String] = [:], loggedIn: Bool = false
    ) async throws -> Run {
        try await innctl(arguments, environment: environment, loggedIn: loggedIn)
    }

    /// - Parameter loggedIn: whether the environment names the server, the admin's key and the authority.
    func innctl(
        _ arguments: [String], environment: [String: String] = [:], loggedIn: Bool = false, input: String = ""
    ) async throws -> Run {
        let variables = try variables(loggedIn: loggedIn)
        let outcome = try await Child.run(
            ProcessRequest(
                Self.program, arguments, environment: variables.merging(environment) { $1 },
                standardInput: .bytes(Array(input.utf8)), deadline: .seconds(120)))
        guard case .code(let code) = outcome.exit else { throw SetupFailure("innctl died: \(outcome)") }
        return Run(
            code: code, output: String(decoding: outcome.stdout, as: UTF8.self),
            error: String(decoding: outcome.stderr, as: UTF8.self))
    }

    /// The environment of a command.
    func variables(loggedIn: Bool) throws -> [String: String] {
        var variables = ["HOME": house.folder.file("home")]
        guard loggedIn else { return variables }
        variables["INNKEEPER_URL"] = url
        variables["INNKEEPER_KEY"] = house.admin
        variables["INNKEEPER_CA"] = try house.folder.write(
            Array(authority.certificate.pem.utf8), to: "authority.pem")
        return variables
    }

    /// Beside the tests, where the build puts it.
    static let program = Checkout.program("innctl")
}
