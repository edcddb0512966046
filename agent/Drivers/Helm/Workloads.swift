import Model
import WireProtocol

/// An object of the cluster as `kubectl get -o json` prints it.
struct ClusterObject: Sendable {
    let json: JSONValue

    var kind: String { json["kind"]?.asString ?? "" }
    var name: String { json["metadata"]?["name"]?.asString ?? "" }
    var identity: String { json["metadata"]?["uid"]?.asString ?? "" }
    var spec: JSONValue { json["spec"] ?? [:] }
    var status: JSONValue { json["status"] ?? [:] }
    /// The phase of a pod stays Running while it ends.
    var isTerminating: Bool { json["metadata"]?["deletionTimestamp"]?.asString != nil }
    var owners: [String] { (json["metadata"]?["ownerReferences"]?.asArray ?? []).compactMap { $0["uid"]?.asString } }
    var word: String { "\(kind.lowercased())/\(name)" }

    /// Helm marks what it makes; what it makes for hooks it does not.
    func isMarked(for release: ReleaseID) -> Bool {
        let annotations = json["metadata"]?["annotations"]
        return annotations?["meta.helm.sh/release-name"]?.asString == release.name
            && annotations?["meta.helm.sh/release-namespace"]?.asString == release.namespace
    }

    /// A count of the status or the specification; a count of zero is absent.
    func count(_ part: JSONValue, _ key: String, default fallback: Int64 = 0) -> Int64 {
        part[key]?.asInteger ?? fallback
    }

    /// The condition of a type when it is `True`, or as asked.
    func condition(_ type: String, _ status: String = "True") -> JSONValue? {
        self.status["conditions"]?.asArray?.first { $0["type"]?.asString == type && $0["status"]?.asString == status }
    }

    /// Claims that a pod mounts.
    var claims: [String] {
        (spec["volumes"]?.asArray ?? []).compactMap { $0["persistentVolumeClaim"]?["claimName"]?.asString }
    }

    /// Whether the controller has seen the newest specification; before that, its counts are of the old one.
    var isSeen: Bool {
        guard let generation = json["metadata"]?["generation"]?.asInteger else { return true }
        return generation <= count(status, "observedGeneration")
    }
}

/// The objects of one release: what Helm has marked, and what that owns or mounts.
struct ReleaseObjects: Sendable {
    let objects: [ClusterObject]
    /// What is looked at, in the words of `kubectl get`.
    static let kinds =
        "pods,deployments.apps,replicasets.apps,statefulsets.apps,daemonsets.apps,jobs.batch,services,ingresses.networking.k8s.io,persistentvolumeclaims"

    /// - Parameters:
    ///   - all: everything of these kinds in the release's namespace.
    ///   - hooks: names of the jobs and pods that hooks have made, to be counted in.
    init(of release: ReleaseID, in all: [ClusterObject], hooks: Set<String> = []) {
        var mine = all.filter { $0.isMarked(for: release) || hooks.contains($0.word) }
        var known = Set(mine.map(\.identity))
        var owned: [String: [ClusterObject]] = [:]
        for object in all { for owner in Set(object.owners) { owned[owner, default: []].append(object) } }
        var seen = 0
        // A deployment owns replica sets, and they own pods.
        while seen < mine.count {
            let owner = mine[seen].identity
            seen += 1
            for object in owner.isEmpty ? [] : owned[owner] ?? [] {
                if known.insert(object.identity).inserted { mine.append(object) }
            }
        }
        let claims = Set(mine.filter { $0.kind == "Pod" }.flatMap(\.claims))
        mine += all.filter {
            $0.kind == "PersistentVolumeClaim" && claims.contains($0.name) && !known.contains($0.identity)
        }
        objects = mine
    }

    func of(_ kind: String) -> [ClusterObject] { objects.filter { $0.kind == kind }.sorted { $0.name < $1.name } }

    var pods: [ClusterObject] { of("Pod") }
}

/// How far one object is.
enum ObjectState: Sendable, Hashable {
    case ready
    /// It may become ready yet.
    case waiting(String)
    /// It will not become ready by itself.
    case failed(String)

    var problem: String? {
        switch self {
        case .ready: nil
        case .waiting(let problem), .failed(let problem): problem
        }
    }
}
