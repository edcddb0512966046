import APIModels
import HTTPFetch
import Model
import Processes
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension PlantedRun {
    func logIn() async throws {
        let outcome = try await innctl([
            "login", "--url", site.front.url, "--key-file", site.folder.file("admin.key"), "--ca",
            site.folder.file("controller/ca.pem"),
        ])
        #expect(outcome.succeeded, "\(outcome.errorText)")
    }

    /// A key and a token, whose texts are told once; a machine that joins.
    func makeAccess() async throws {
        let key = try await innctl(
            ["key", "create", "planted", "--scope", "read", "-o", "json"], noting: false)
        let secret = try JSONParser.parse(Array(key.outputText.utf8))["secret"]?.asString
        plant("second key", Self.secretPart(try #require(secret, "\(key.outputText) \(key.errorText)")))
        let made = try await innctl(["token", "create", "--uses", "1", "-o", "json"], noting: false)
        let token = try #require(try JSONParser.parse(Array(made.outputText.utf8))["token"]?.asString)
        plant("token", Self.secretPart(token))
        let joined = try await enrol("guest", token)
        #expect(joined.succeeded, "\(joined.errorText)")
        let guest = try site.installation.agent("guest")
        try guest.start()
        try await site.settle("guest")
        // A token that was used up, and one whose secret is wrong.
        #expect(try await !enrol("second", token).succeeded)
        let other = Needle.value("token").filter { $0.isLetter || $0.isNumber }
        plant("wrong token", other)
        var parts = token.split(separator: ".").map(String.init)
        parts[2] = String((other + other + other).prefix(parts[2].count))
        plant("wrong token as sent", parts[2])
        #expect(try await !enrol("third", parts.joined(separator: ".")).succeeded)
    }

    private func enrol(_ folder: String, _ token: String) async throws -> ProcessOutcome {
        let outcome = try await Programs.run(
            "innkeeper-agent",
            ["enrol", "--controller", site.addresses.agents, "--token", "-", "--data", site.folder.file(folder)],
            input: token + "\n")
        note(outcome.outputText + outcome.errorText)
        return outcome
    }

    /// What is refused must not be repeated in the refusal or the log.
    func refuse() async throws {
        let stray = Needle.value("stray").filter { $0.isLetter || $0.isNumber }
        plant("stray", stray)
        let stranger = APIClient(url: site.front.url, key: "ikk1.\(stray).\(stray)", authority: site.front.authority)
        for path in ["/api/v1/nodes", "/api/v1/nodes?access_token=\(stray)", "/api/v1/events"] {
            let response = try await stranger.send("GET", path)
            #expect(response.status == 401)
            note(String(decoding: response.body, as: UTF8.self))
        }
        let bodies = [
            #"{"name":"p","spec":{"image":"i","env":{"A":"\#(stray)"},"memory_bytes":1,"cpu_millis":1,"disk_bytes":1}}"#,
            #"{"name":"p","spec":{"image":"i","env":"\#(stray)"}}"#, #"{"name":"p","spec":{"env":{"A":"\#(stray)"#,
            #"{"name":"p","spec":{"image":"i","env":{"A":["\#(stray)"]}}}"#,
        ]
        for body in bodies {
            let response = try await site.front.send("POST", "/api/v1/plans", body, idempotencyKey: "bad-\(body.count)")
            #expect(response.status == 400)
            note(String(decoding: response.body, as: UTF8.self))
        }
        let query = try await site.front.send("GET", "/api/v1/nodes?password=\(stray)")
        note(String(decoding: query.body, as: UTF8.self))
    }

    /// The plan by the command line, the service by the API with a variable of its own; the container has both.
    func order() async throws {
        try await apply("planted", command: Installation.patient)
        let accepted = try await create("planted-1", plan: "planted")
        let service = try #require(accepted.service?.id)
        #expect(try await site.front.ended(accepted.operation.id).state == "succeeded")
        let shown = try await site.engines.execute(in: service, "/bin/sh", "-c", "env")
        for value in variables.values { #expect(shown.outputText.contains(value)) }
        #expect(shown.outputText.contains("OWN=\(override)"))
        for verb in ["suspend", "resume", "upgrade"] {
            let body = verb == "upgrade" ? #"{"overrides":{"memory_bytes":50331648}}"# : nil
            let next: AcceptedOperation = try await site.front.post("/api/v1/services/\(service)/\(verb)", body)
            #expect(try await site.front.ended(next.operation.id).state == "succeeded")
        }
        try await keepHidden()
        try await innctl(["service", "show", "planted-1"])
        try await innctl(["plan", "show", "planted", "-o", "json"])
        try await innctl(["service", "list"])
    }

    /// A plan that is read, changed and sent back keeps the values that nobody saw.
    private func keepHidden() async throws {
        var plan = try await site.front.get("/api/v1/plans/planted", as: Plan.self)
        var fields = try #require(plan.spec.asObject)
        #expect(fields["env"]?.asObject?.members.allSatisfy { $0.value == "********" } == true)
        fields["cpu_millis"] = 120
        plan.spec = .object(fields)
        let body = String(decoding: try BodyEncoder.bytes(PlanChange(spec: plan.spec)), as: UTF8.self)
        let response = try await site.front.send("PUT", "/api/v1/plans/planted", body)
        #expect(response.status == 200)
        note(String(decoding: response.body, as: UTF8.self))
        let accepted = try await create("planted-2", plan: "planted")
        #expect(try await site.front.ended(accepted.operation.id).state == "succeeded")
        let shown = try await site.engines.execute(in: try #require(accepted.service?.id), "/bin/sh", "-c", "env")
        for value in variables.values { #expect(shown.outputText.contains(value)) }
    }

    /// The engine refuses, and likes to repeat what it was given.
    func fail() async throws {
        try await apply("broken", command: ["/no/such/program"])
        let accepted = try await create("planted-3", plan: "broken")
        let ended = try await site.front.ended(accepted.operation.id)
        #expect(ended.state != "succeeded")
        note("\(ended)")
        try await innctl(["operation", "show", accepted.operation.id])
    }

    /// Both sides die while the engine makes the container.
    func crash() async throws {
        let point = Gate.Point(engine: .docker, action: "create", moment: .before)
        try site.gate.close(point)
        defer { site.gate.open(point) }
        let accepted = try await create("planted-4", plan: "planted")
        try await site.gate.reached(point)
        await site.agent.kill()
        await site.controller.kill()
        site.gate.open(point)
        try site.controller.start()
        try site.agent.start()
        #expect(try await site.front.ended(accepted.operation.id).state == "succeeded")
    }

    /// The node's owner says no.
    func denyByPolicy() async throws {
        let policy = try site.folder.write(
            Array(#"{"allow":[{"operation":"*"}],"deny":[{"operation":"docker.container.ensure"}]}"#.utf8),
            to: "policy.json")
        try await site.restartAgent(["log_level": "debug", "policy": .string(policy)])
        let accepted = try await create("planted-5", plan: "planted")
        #expect(try await site.front.ended(accepted.operation.id).state == "failed")
    }

    func backUp() async throws {
        let outcome = try await Programs.run(
            "innkeeper-controller",
            ["backup", "--data", site.folder.file("controller"), site.folder.file("planted.backup")])
        #expect(outcome.succeeded, "\(outcome.errorText)")
        note(outcome.outputText + outcome.errorText)
    }

    private func apply(_ plan: String, command: [String]) async throws {
        let spec: JSONObject = [
            "image": "site/planted:1", "image_tar": .string(site.folder.file("image.tar")),
            "command": .array(command.map { .string($0) }), "network": "none", "mount_path": "/data",
            "memory_bytes": .integer(32 << 20), "cpu_millis": 100, "disk_bytes": .integer(32 << 20),
        ]
        let file = try site.folder.write(JSONValue.object(spec).encoded, to: "plan-\(plan).json")
        let lines = variables.map { "\($0.key)=\($0.value)" }.joined(separator: "\n")
        let outcome = try await innctl(["plan", "apply", plan, "--file", file, "--env-file", "-"], input: lines)
        #expect(outcome.succeeded, "\(outcome.errorText)")
    }

    private func create(_ externalID: String, plan: String) async throws -> AcceptedOperation {
        let body: JSONObject = [
            "external_id": .string(externalID), "customer": "c1", "plan": .string(plan),
            "overrides": ["env": ["OWN": .string(override)]],
        ]
        return try await site.front.post(
            "/api/v1/services", JSONValue.object(body).text, idempotencyKey: "planted-\(externalID)")
    }
}
