import APIModels
import FaultProxy
import Glibc
import Model
import Processes
import SiteSupport
import TestSupport
import Testing
import WireProtocol

/// A container that may be entered and one that may not, on the site's agent, all made by `innctl`.
struct Laboratory {
    let site: Site
    /// Id of the node.
    let node: String
    static let guest = "lab-1"
    static let closed = "shut-1"

    /// The first time, the agent is given its policy and the containers are made.
    static func open() async throws -> Laboratory {
        let site = try #require(Site.running)
        await site.link.follow(.none)
        try await site.node { $0.state == "connected" }
        let laboratory = Laboratory(site: site, node: try site.node())
        let configuration = String(decoding: try site.folder.read("agent.json"), as: UTF8.self)
        if !configuration.contains("policy") { try await laboratory.furnish() }
        return laboratory
    }

    private func furnish() async throws {
        let policy: JSONObject = [
            "allow": [
                ["operation": "*"], ["operation": "docker.container.exec", "resource": "docker/lab-*"],
            ],
            "deny": [["operation": "docker.container.remove", "resource": "docker/lab-*"]],
        ]
        let file = try site.folder.write(JSONValue.object(policy).encoded, to: "policy.json")
        try await site.restartAgent(["policy": .string(file)])
        try await run(
            "docker.image.import", "--resource", "docker/image/lab/busybox:1", "reference=lab/busybox:1",
            "path=\(site.folder.file("image.tar"))")
        for name in [Self.guest, Self.closed] {
            try await run(
                "docker.container.ensure", "--resource", "docker/\(name)", "name=\(name)", "image=lab/busybox:1",
                #"command=["/bin/sh","-c","trap exit TERM; while :; do sleep 1; done"]"#, "network=none", "running=true"
            )
        }
    }

    /// `innctl node run`, which must succeed.
    @discardableResult
    func run(_ words: String...) async throws -> (output: String, notes: String) {
        let outcome = try await site.innctl(["node", "run", node] + words)
        guard outcome.succeeded else { throw SetupFailure("node run \(words): \(outcome.errorText)") }
        return (outcome.outputText, outcome.errorText)
    }

    /// `innctl exec`, with bytes on its standard input.
    func exec(
        _ words: [String], in guest: String = Self.guest, on node: String? = nil, options: [String] = [],
        input: [UInt8] = []
    ) async throws -> ProcessOutcome {
        try await Child.run(
            ProcessRequest(
                try Programs.path("innctl"), ["exec"] + options + [node ?? self.node, guest, "--"] + words,
                environment: environment, standardInput: .bytes(input), deadline: .seconds(180),
                outputLimit: 64 << 20))
    }

    /// `innctl exec` on a pseudo-terminal.
    func terminal(
        _ words: [String], rows: UInt16 = 24, columns: UInt16 = 80
    ) throws -> TerminalProgram {
        try TerminalProgram(
            try Programs.path("innctl"), ["exec", "-it", node, Self.guest, "--"] + words, environment: environment,
            rows: rows, columns: columns)
    }

    var environment: [String: String] {
        [
            "INNKEEPER_URL": site.front.url, "INNKEEPER_KEY": site.front.key,
            "INNKEEPER_CA": site.folder.file("controller/ca.pem"), "HOME": site.folder.path,
        ]
    }

    /// What runs in the container, asked of the engine itself.
    func processes(in guest: String = Self.guest) async throws -> String {
        try await site.engines.execute(in: guest, "ps").outputText
    }

    /// The newest command operation for the guest.
    func newest() async throws -> APIModels.Operation {
        let path = "/api/v1/operations?kind=command&limit=50"
        let listing: Listing<APIModels.Operation> = try await site.front.get(path)
        guard let found = listing.items.first(where: { $0.command?.resource == "docker/\(Self.guest)" }) else {
            throw SetupFailure("no command was asked for")
        }
        return found
    }
}
