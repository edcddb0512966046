import DriverKit
import Glibc
import Model
import WireProtocol

/// A chart as a call names it: a folder or packed file of the node, one of a registry, or one of a repository.
struct ChartReference: Sendable {
    /// The operand of Helm's command line.
    let operand: String
    let repository: String?
    let version: String?

    init(_ reader: inout ArgumentReader, _ sources: [String]?) throws(DriverError) {
        let chart = try reader.string("chart")
        version = try reader.optionalString("version")
        repository = try reader.optionalString("repo")
        let isLocal = chart.hasPrefix("/")
        operand = chart
        if (repository != nil) == (isLocal || chart.hasPrefix("oci://")) {
            throw .invalidArgument(
                "repo", "belongs to the bare name of a chart, and only to that; else give a path or an oci:// reference"
            )
        }
        if let sources, !Self.isBelow(sources, repository.map { "\($0)/\(chart)" } ?? chart) {
            throw DriverError(
                .permissionDenied, "charts from there are not allowed on this node",
                cause: "helm_charts in the agent's configuration names where charts may come from")
        }
        // Helm would look for a chart of that name in a repository.
        if isLocal, access(operand, R_OK) != 0 { throw DriverError(.notFound, "there is no chart \(operand)") }
    }

    /// Whether a chart begins with one of the allowed beginnings, taken as whole parts of its path.
    static func isBelow(_ sources: [String], _ chart: String) -> Bool {
        sources.contains { source in
            chart.hasPrefix(source)
                && (source.hasSuffix("/") || chart.dropFirst(source.count).first.map { $0 == "/" } ?? true)
        } && !chart.contains("/../") && !chart.contains("%")
    }

    /// Options that find it.
    func options(version: String?) -> [String] {
        (repository.map { ["--repo", $0] } ?? []) + (version.map { ["--version", $0] } ?? [])
    }
}

/// A release as a call asks for it.
struct ReleaseSpec: Sendable {
    let chart: ChartReference
    /// All values but those of the chart itself, secret ones included.
    let values: JSONValue
    /// Whether the values that the release has stay below those of the call.
    let keepsValues: Bool
    let createsNamespace: Bool
    /// Whether a new revision is made although nothing is different.
    let always: Bool
    /// Whether Helm itself waits, and takes everything back when it fails.
    let atomic: Bool
    let waiting: Patience

    init(_ reader: inout ArgumentReader, _ secrets: JSONObject, _ sources: [String]?) throws(DriverError) {
        chart = try ChartReference(&reader, sources)
        let open = JSONValue.object(try reader.object("values") ?? [:])
        values = open.overlaid(with: secrets["values"] ?? [:])
        keepsValues = try reader.bool("keep_values")
        createsNamespace = try reader.bool("create_namespace")
        always = try reader.bool("always")
        atomic = try reader.bool("atomic")
        waiting = try Patience(&reader)
    }

    /// How long to wait for what.
    struct Patience: Sendable {
        /// Whether the call waits until pods, jobs and ingresses are ready.
        let waits: Bool
        /// Whether an ingress without an address is not ready. Some controllers never give one.
        let needsAddress: Bool
        /// Of each phase of Helm's work, and of the readiness.
        let seconds: Int64

        init(_ reader: inout ArgumentReader) throws(DriverError) {
            waits = try reader.bool("wait")
            needsAddress = try reader.bool("ingress_address")
            seconds = try reader.integer("timeout_s")
        }
    }

    /// The values as a file that Helm reads: JSON, which is YAML as well once what YAML forbids is escaped.
    static func file(_ values: JSONValue) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in String(decoding: values.encoded, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0x7F...0x9F, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF:
                let digits = String(scalar.value, radix: 16)
                bytes += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
            default: bytes += String(scalar).utf8
            }
        }
        return bytes
    }
}

/// Takes the secrets of a call out of what tools say: as they are, and as Kubernetes writes them into a `Secret`.
struct SecretWords: Sendable {
    private let words: [String]

    init(_ secrets: JSONObject) {
        let texts = Self.texts(.object(secrets)).filter { $0.utf8.count >= 4 }
        words = (texts + texts.map { Base64.encode(Array($0.utf8)) }).sorted { $0.utf8.count > $1.utf8.count }
    }

    func hidden(in text: String) -> String {
        words.reduce(text) { text, word in
            var result = ""
            var rest = text[...]
            while let place = rest.range(of: word) {
                result += rest[..<place.lowerBound] + "[secret]"
                rest = rest[place.upperBound...]
            }
            return result + rest
        }
    }

    func hidden(in error: DriverError) -> DriverError {
        if words.isEmpty { return error }
        let clean = DriverError(
            error.code, hidden(in: error.message), retryable: error.retryable, action: error.action,
            resource: error.resource, cause: error.cause.map { hidden(in: $0) })
        return error.changed ? clean.afterChange() : clean
    }

    private static func texts(_ value: JSONValue) -> [String] {
        switch value {
        case .string(let text): [text]
        case .integer(let number): [String(number)]
        case .array(let items): items.flatMap(texts)
        case .object(let object): object.members.flatMap { texts($0.value) }
        default: []
        }
    }
}

extension ArgumentReader {
    mutating func release() throws(DriverError) -> ReleaseID {
        // Looked at with the mark, before the action begins.
        _ = try optionalBool("own_namespace")
        return ReleaseID(namespace: try string("namespace"), name: try string("release"))
    }
}

extension ActionCall {
    /// Refuses a call whose lane is not the one of the release that it would change.
    func concerns(_ release: ReleaseID) throws(DriverError) {
        guard resource == release.resource else {
            throw DriverError(
                .invalidArgument,
                "release \(release.name) in \(release.namespace) is not what the call's resource \(resource) names")
        }
    }
}

extension ActionOutcome {
    /// The outcome of an action that only looks.
    static func seen(_ observed: JSONObject) -> ActionOutcome {
        ActionOutcome(changed: false, observed: observed)
    }
}
