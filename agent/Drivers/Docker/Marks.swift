package import DriverKit
import WireProtocol

/// Whose a container, network or volume is, by its labels. They cannot be changed while it is there, so nothing is taken into
/// care that was made without them.
extension DockerDriver: MarkStore {
    package func mark(of call: ActionCall) async throws(DriverError) -> FoundMark {
        let words = call.resource.split(separator: "/", maxSplits: 2).map(String.init)
        switch (words.count, words.dropFirst().first) {
        case (3, "network"): return try await lookAtNetwork(words[2]).map { $0.labels.mark(on: $0.name) } ?? .nothing
        case (3, "volume"): return try await lookAtVolume(words[2]).map { $0.labels.mark(on: $0.name) } ?? .nothing
        case (2, let name?): return try await look(name).map { $0.labels.mark(on: $0.name) } ?? .nothing
        default: return .nothing
        }
    }
}

extension Mark {
    /// Labels of a new thing.
    func labels(on name: String) -> [String: String] {
        var labels = [ContainerState.ownerLabel: service, ContainerState.nameLabel: name]
        labels[ContainerState.nonceLabel] = nonce
        return labels
    }
}

extension [String: String] {
    /// In the order of their names.
    var json: JSONObject { JSONObject(sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }) }

    /// What tells the making of a thing of this name from others; nil also for a copy's.
    func nonce(on name: String) -> String? {
        if case .mark(let mark) = mark(on: name) { mark.nonce } else { nil }
    }

    /// The mark that a thing of this name bears by its labels.
    func mark(on name: String) -> FoundMark {
        guard let service = self[ContainerState.ownerLabel] else { return .stranger }
        if let original = self[ContainerState.nameLabel], original != name { return .copy(of: original) }
        return .mark(
            Mark(service: service, nonce: self[ContainerState.nonceLabel] ?? self[ContainerState.commandLabel]))
    }
}
