package import DriverKit
import WireProtocol

/// A namespace bears the mark of the service that it was made for, and what is in it is that service's. A release by itself bears
/// none: whoever may write to its namespace could give it one.
extension HelmDriver: MarkStore {
    package func mark(of call: ActionCall) async throws(DriverError) -> FoundMark {
        guard let name = call.arguments["namespace"]?.asString, let found = try await namespace(name) else {
            return .nothing
        }
        return found.mark.map { .mark($0) } ?? .stranger
    }
}

extension ClusterObject {
    static let service = "innkeeper.service"
    static let nonce = "innkeeper.nonce"

    /// A label, so that `kubectl get namespaces -l` finds it; what tells makings apart can be longer than a label.
    var mark: Mark? {
        guard let service = json["metadata"]?["labels"]?[Self.service]?.asString else { return nil }
        return Mark(service: service, nonce: json["metadata"]?["annotations"]?[Self.nonce]?.asString)
    }
}

extension Mark {
    /// What an object bears that is made under this mark.
    func metadata(_ name: String, labels: JSONObject = [:]) -> JSONValue {
        var all = labels
        all[ClusterObject.service] = .string(service)
        all["app.kubernetes.io/managed-by"] = "innkeeper"
        var metadata: JSONObject = ["name": .string(name), "labels": .object(all)]
        metadata["annotations"] = nonce.map { [ClusterObject.nonce: .string($0)] }
        return .object(metadata)
    }
}
