import Model
import WireProtocol

/// Shops in the clusters that the nodes lead to: what is sold, and what must be true of them in the end.
enum Shops {
    static func plan(files: Int64) -> JSONObject {
        [
            "engine": "woocommerce", "chart": "/usr/share/innkeeper/charts/store", "zone": "shops.example.org",
            "files_gib": .integer(files), "backups": ["retention": 2, "schedule": "daily"],
            "ready": ["timeout_s": 120], "on_failure": files > 5 ? "unwind" : "keep",
        ]
    }
}

extension Reckoning {
    private typealias Seen = (node: String, name: String, space: ClusterModel.Space)

    private func spaces(of service: String) -> [Seen] {
        trial.nodes.flatMap { node in
            node.engines.model.cluster.spaces.filter { $0.value.service == service }.map {
                (node.name, $0.key, $0.value)
            }
        }
    }

    func checkShop(_ service: Books.Service) {
        let seen = spaces(of: service.id)
        switch service.state {
        case "running", "suspended":
            guard seen.count == 1, let one = seen.first, one.node == service.node else {
                return violated("shop \(service.id) is \(service.state) on \(service.node ?? ""), there are \(seen)")
            }
            check(one, of: service)
        // What has failed is kept, where the plan says so, or was there before.
        case "failed":
            let isKept = service.spec["on_failure"] == "keep" || hasBeen(service)
            if seen.count > (isKept ? 1 : 0) { violated("shop \(service.id) has failed and lies in \(seen)") }
        case "terminated", "pending":
            if !seen.isEmpty { violated("shop \(service.id) is \(service.state), left are \(seen)") }
        default: violated("shop \(service.id) is \(service.state) for ever")
        }
    }

    /// Whether it was there once, so that what has failed came later.
    func hasBeen(_ service: Books.Service) -> Bool {
        books.operations.contains { $0.service == service.id && $0.kind == "provision" && $0.state == "succeeded" }
    }

    private func check(_ seen: Seen, of service: Books.Service) {
        let values = seen.space.release?.values
        guard seen.space.hasSecret, seen.space.release?.status == "deployed" else {
            return violated("shop \(service.id) is \(service.state), its namespace holds \(seen.space)")
        }
        if values?["mode"]?.asString != service.state {
            violated("shop \(service.id) is \(service.state), its release is \(values?["mode"] ?? .null)")
        }
        let files = service.spec["files_gib"]?.asInteger.map { "\($0)Gi" }
        if values?["storage"]?["files"]?.asString != files {
            violated("shop \(service.id) was promised \(files ?? ""), its release has \(values?["storage"] ?? .null)")
        }
        for name in books.backups[service.id] ?? [] where !seen.space.backups.contains(name) {
            violated("backup \(name) of shop \(service.id) is listed, and there are \(seen.space.backups.sorted())")
        }
    }

    /// No namespace of ours is there that nobody holds.
    func checkClusters() {
        let held = Set(books.allocations.map { "\($0.node ?? "") \($0.kind) \($0.value)" })
        for node in trial.nodes {
            for (name, space) in node.engines.model.cluster.spaces where !strays.contains(space.service) {
                if !held.contains("\(node.name) store \(name.dropFirst(6))") {
                    violated("namespace \(name) behind \(node.name) belongs to nobody")
                }
            }
        }
    }
}
