package import APIModels
import FaultProxy
import Glibc
import Model
package import Processes
import TestSupport
import Testing
import WireProtocol

/// What tests do with an installation.
extension Installed {
    /// The command line, logged in as the administrator.
    package func innctl(_ arguments: [String]) async throws -> ProcessOutcome {
        try await Programs.run(
            "innctl", arguments,
            environment: [
                "INNKEEPER_URL": front.url, "INNKEEPER_KEY": front.key,
                "INNKEEPER_CA": folder.file("controller/ca.pem"), "HOME": folder.path,
            ])
    }

    /// As `innctl`, for what must succeed.
    @discardableResult
    package func order(_ arguments: String...) async throws -> (output: String, notes: String) {
        let outcome = try await innctl(arguments)
        guard outcome.succeeded else {
            throw SetupFailure("innctl \(arguments.joined(separator: " ")): \(outcome.exit) \(outcome.errorText)")
        }
        return (outcome.outputText, outcome.errorText)
    }

    /// Makes a node of a data folder, with a token of its own.
    package func enrol(_ name: String, label: String) async throws {
        let token = try await order(
            "token", "create", "--uses", "1", "--expires", "15m", "--approved", "--label", label)
        let outcome = try await Programs.run(
            "innkeeper-agent",
            ["enrol", "--controller", link.address, "--token", "-", "--data", folder.file(name)],
            input: token.output)
        guard outcome.succeeded else { throw SetupFailure("enrol: \(outcome.errorText)") }
    }

    /// The id of the node that a data folder belongs to.
    package func node(_ name: String = "agent") throws -> String {
        try JSONParser.parse(folder.read("\(name)/identity.json")).asObject?.string("node") ?? ""
    }

    /// Waits until a node is as wished.
    @discardableResult
    package func node(_ name: String = "agent", _ isRight: @Sendable (Node) -> Bool) async throws -> Node {
        try await front.until("/api/v1/nodes/\(node(name))", as: Node.self, isRight)
    }

    /// Waits until the agent's link is up: after a crash it comes back within its back-off.
    package func settle(_ name: String = "agent") async throws {
        let now = Timestamp.now()
        try await node(name) { $0.lastSeen.map { $0 > now } ?? false }
    }

    /// A plan of a container that lives until it is told to end, in an image of its own.
    package func apply(plan name: String, image: String = "site/busybox:1", command: [String] = Installation.patient)
        async throws
    {
        let spec: JSONObject = [
            "image": .string(image), "image_tar": .string(folder.file("image.tar")),
            "command": .array(command.map { .string($0) }), "network": "none", "mount_path": "/data",
            "memory_bytes": .integer(32 << 20), "cpu_millis": 100, "disk_bytes": .integer(32 << 20),
        ]
        let file = try folder.write(JSONValue.object(spec).encoded, to: "plan-\(name).json")
        try await order("plan", "apply", name, "--file", file)
    }

    /// Orders a service as a billing system does.
    package func create(_ externalID: String, plan: String) async throws -> AcceptedOperation {
        try await front.post(
            "/api/v1/services", #"{"external_id": "\#(externalID)", "customer": "c1", "plan": "\#(plan)"}"#,
            idempotencyKey: "create-\(externalID)")
    }

    /// Copies the files of a folder beside it, as somebody does who clones a machine.
    package func copy(_ name: String, to other: String) throws {
        mkdir(folder.file(other), 0o700)
        guard let listing = opendir(folder.file(name)) else { throw SetupFailure("\(name) is not there") }
        defer { closedir(listing) }
        while let entry = readdir(listing) {
            let file = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard entry.pointee.d_type == UInt8(DT_REG) else { continue }
            try folder.write(folder.read("\(name)/\(file)"), to: "\(other)/\(file)")
        }
    }
}

extension Installation {
    package static let patient = [
        "/bin/sh", "-c", "echo $$ >/data/started; trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done",
    ]
}
