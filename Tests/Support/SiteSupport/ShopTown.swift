package import APIModels
import Glibc
import HTTPFetch
import Processes
import TestSupport
package import WireProtocol

/// A controller, and a node that leads to an emulated Kubernetes cluster, with the packaged chart of shops.
package struct ShopTown: Installed {
    package let installation: Installation
    /// Of the node.
    package let agent: Daemon
    /// The folder of the agent.
    package static let node = "kube"

    /// - Parameters:
    ///   - configuration: of the controller, over what tests usually have.
    ///   - wrappers: commands that run the daemons, before their own.
    package static func with(
        configuration: JSONObject = [:],
        wrappers: (Installation) async throws -> (controller: [String], agent: [String]) = { _ in ([], []) },
        _ body: (ShopTown) async throws -> Void
    ) async throws {
        let installation = try await Installation("shops", configuration: configuration)
        let words = try await wrappers(installation)
        let town = ShopTown(installation: installation, agent: try Self.agent(installation))
        do {
            town.agent.wrap(in: words.agent)
            town.controller.wrap(in: words.controller)
            try await town.open()
            try await body(town)
        } catch {
            await installation.stop()
            throw error
        }
        await installation.stop()
    }

    private static func agent(_ installation: Installation) throws -> Daemon {
        let folder = installation.folder
        let policy = try folder.write(JSONValue.object(["allow": [["operation": "*"]]]).encoded, to: "policy.json")
        return try installation.agent(
            node,
            configuration: [
                "drivers": ["helm"], "helm_root": .string(folder.file("cluster")),
                "helm_home": .string(folder.file("helm")), "helm_charts": [.string(folder.file("cluster/charts/"))],
                "policy": .string(policy),
            ])
    }

    private func open() async throws {
        mkdir(folder.file("cluster"), 0o755)
        try folder.write(Array(#"{"pace": 0.002, "ready_after": 20}"#.utf8), to: "cluster/emulator.json")
        let made = try await Child.run(
            ProcessRequest(Checkout.emulator("kubernetes/node"), [folder.file("cluster")], deadline: .seconds(60)))
        guard made.succeeded else { throw SetupFailure("the emulated cluster: \(made.errorText)") }
        try await installation.open()
        try await enrol(Self.node, label: "role=shops")
        try agent.start()
        try await node(Self.node) { $0.state == "connected" }
        let plan: JSONObject = [
            "name": "shop", "product": "store",
            "spec": [
                "chart": .string(folder.file("cluster/charts/shop")), "zone": "shops.example.org",
                "backups": ["retention": 2], "ready": ["poll_s": 1],
            ],
        ]
        let response = try await front.send("POST", "/api/v1/plans", JSONValue.object(plan).text)
        guard response.status < 300 else {
            throw SetupFailure("the plan: \(String(decoding: response.body, as: UTF8.self))")
        }
    }

    // MARK: looking

    /// Those of shops, as the cluster keeps them: `metadata`, `objects`, `backups`.
    package func namespaces() throws -> JSONObject {
        let state = try JSONParser.parse(folder.read("cluster/var/cluster.json")[...], limits: .local)
        let all = state["namespaces"]?.asObject ?? [:]
        return JSONObject(all.members.filter { $0.key.hasPrefix("store-") }.map { ($0.key, $0.value) })
    }

    /// Of a service, the oldest first.
    package func backups(of service: String) async throws -> [BackupView] {
        try await front.get("/api/v1/services/\(service)/backups", as: Listing<BackupView>.self).items
    }
}
