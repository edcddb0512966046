import APIModels
import Processes
import TestSupport
import WireProtocol

/// What tests do with a site.
extension Site {
    /// The command line, logged in as the administrator.
    func innctl(_ arguments: [String]) async throws -> ProcessOutcome {
        try await Programs.run(
            "innctl", arguments,
            environment: [
                "INNKEEPER_URL": front.url, "INNKEEPER_KEY": front.key,
                "INNKEEPER_CA": folder.file("controller/ca.pem"), "HOME": folder.path,
            ])
    }

    /// As `innctl`, for what must succeed.
    @discardableResult
    func order(_ arguments: String...) async throws -> (output: String, notes: String) {
        let outcome = try await innctl(arguments)
        guard outcome.succeeded else {
            throw SetupFailure("innctl \(arguments.joined(separator: " ")): \(outcome.exit) \(outcome.errorText)")
        }
        return (outcome.outputText, outcome.errorText)
    }

    /// Makes a node of a data folder, with a token of its own.
    func enrol(_ name: String, label: String) async throws {
        let token = try await order("token", "create", "--uses", "1", "--expires", "15m", "--label", label)
        let outcome = try await Programs.run(
            "innkeeper-agent",
            ["enrol", "--controller", addresses.agents, "--token", "-", "--data", folder.file(name)],
            input: token.output)
        guard outcome.succeeded else { throw SetupFailure("enrol: \(outcome.errorText)") }
    }

    /// The id of the node that a data folder belongs to.
    func node(_ name: String = "agent") throws -> String {
        try JSONParser.parse(folder.read("\(name)/identity.json")).asObject?.string("node") ?? ""
    }

    /// Waits until a node is as wished.
    @discardableResult
    func node(_ name: String = "agent", _ isRight: @Sendable (Node) -> Bool) async throws -> Node {
        try await front.until("/api/v1/nodes/\(node(name))", as: Node.self, isRight)
    }

    /// A plan of a container that lives until it is told to end, in an image of its own.
    func apply(plan name: String, image: String = "site/busybox:1", repairs: Bool = false) async throws {
        let script = "echo $$ >/data/started; trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"
        var spec: JSONObject = [
            "image": .string(image), "image_tar": .string(folder.file("image.tar")),
            "command": ["/bin/sh", "-c", .string(script)], "network": "none", "mount_path": "/data",
            "memory_bytes": .integer(32 << 20), "cpu_millis": 100, "disk_bytes": .integer(32 << 20),
        ]
        if repairs { spec["repair"] = true }
        let file = try folder.write(JSONValue.object(spec).encoded, to: "plan-\(name).json")
        try await order("plan", "apply", name, "--file", file)
    }

    /// Orders a service as a billing system does.
    func create(_ externalID: String, plan: String) async throws -> AcceptedOrder {
        try await front.post(
            "/api/v1/services", #"{"external_id": "\#(externalID)", "customer": "c1", "plan": "\#(plan)"}"#,
            idempotencyKey: "create-\(externalID)")
    }
}
