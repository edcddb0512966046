package import DriverKit
import Model
import WireProtocol

/// Whose a release is: labels of its record, which Helm writes with each revision and finds releases by, from 3.13 on. Whose a namespace
/// is, and a secret in it: the label of the namespace.
///
/// A label is never printed where releases are listed: whether one bears a mark is asked by it.
extension HelmDriver: MarkStore {
    package func mark(of call: ActionCall) async throws(DriverError) -> FoundMark {
        let words = call.resource.split(separator: "/").map(String.init)
        if words.count == 2, words[0] == "helm" {
            guard let found = try await namespace(words[1]) else { return .nothing }
            return found.mark.map { .mark($0) } ?? .stranger
        }
        guard let mark = call.mark, words.count == 3, words[0] == "helm" else { return .nothing }
        // What lies in a namespace that is one service's own is that service's.
        if let space = try await namespace(words[1]) {
            if let owner = space.mark, owner.service != mark.service { return .mark(owner) }
            if space.mark == nil, call.arguments["own_namespace"] == true { return .stranger }
        }
        let release = ReleaseID(namespace: words[1], name: words[2])
        guard marksReleases else {
            throw DriverError(
                .unsupported, "Helm \(version) cannot mark releases, nor look whose one is: 3.13 and later can")
        }
        try mark.checkLabels()
        let service = ReleaseLabel.service.is(mark.service)
        if let nonce = mark.nonce {
            if try await has(release, [service, ReleaseLabel.nonce.is(nonce)]) { return .mark(mark) }
            if try await has(release, [service, ReleaseLabel.nonce.isMissing]) {
                return .mark(Mark(service: mark.service))
            }
        }
        if try await has(release, [service]) {
            return .mark(Mark(service: mark.service, nonce: mark.nonce.map { _ in "another" }))
        }
        if try await has(release, [ReleaseLabel.service.isMissing]) { return .unmarked }
        return try await has(release, []) ? .mark(Mark(service: "another service")) : .nothing
    }

    /// Whether what a call with a mark works on bears one already.
    func isMarked(_ call: ActionCall) async throws(DriverError) -> Bool {
        guard call.mark != nil else { return false }
        switch try await mark(of: call) {
        case .mark: return true
        default: return false
        }
    }

    /// Whether the newest revision of a release is there and bears labels.
    private func has(_ release: ReleaseID, _ conditions: [String]) async throws(DriverError) -> Bool {
        let pattern = "^\(release.name.replacing(".", with: #"\."#))$"
        let selector = conditions.isEmpty ? [] : ["--selector", conditions.joined(separator: ",")]
        let words = ["list", "--all", "--output", "json", "--namespace", release.namespace, "--filter", pattern]
        return try ListedRelease.parse(try await tools.look(.helm, words + selector)).contains { $0.id == release }
    }

    var marksReleases: Bool {
        let numbers = version.split(separator: ".").prefix(2).compactMap { Int($0) }
        return numbers.count == 2 && (numbers[0], numbers[1]) >= (3, 13)
    }
}

/// A label of ours in the record of a release.
private enum ReleaseLabel: String {
    case service = "innkeeper.service"
    case nonce = "innkeeper.nonce"

    func `is`(_ value: String) -> String { "\(rawValue)=\(value)" }
    var isMissing: String { "!\(rawValue)" }

    /// 1 to 63 letters, digits, `-`, `_` and `.`, which begin and end with a letter or digit.
    static func accepts(_ value: String) -> Bool {
        func isPlain(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard let first = value.utf8.first, let last = value.utf8.last, value.utf8.count <= 63 else { return false }
        return isPlain(first) && isPlain(last)
            && value.utf8.allSatisfy { isPlain($0) || [0x2D, 0x2E, 0x5F].contains($0) }
    }
}

extension Mark {
    fileprivate func checkLabels() throws(DriverError) {
        for (name, value) in [("mark.service", service), ("mark.nonce", nonce ?? service)]
        where !ReleaseLabel.accepts(value) {
            throw .invalidArgument(
                name,
                "must fit a label: 1 to 63 letters, digits, -, _ and ., beginning and ending with a letter or digit")
        }
    }

    /// Options of Helm that put it down with a revision. A command whose id fits no label leaves the nonce out.
    func labels(by command: String) -> [String] {
        let nonce = nonce ?? (ReleaseLabel.accepts(command) ? command : nil)
        let labels = [ReleaseLabel.service.is(service)] + (nonce.map { [ReleaseLabel.nonce.is($0)] } ?? [])
        return ["--labels", labels.joined(separator: ",")]
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
