import DriverKit
import Model
import WireProtocol
import YAML

/// A release by its place in the cluster.
struct ReleaseID: Sendable, Hashable {
    let namespace: String
    let name: String

    /// The lane of its changes.
    var resource: String { "helm/\(namespace)/\(name)" }
}

/// What a release is in, as Helm calls it.
struct ReleaseStatus: Sendable, Hashable {
    let word: String

    static let deployed = ReleaseStatus(word: "deployed")
    static let superseded = ReleaseStatus(word: "superseded")
    static let failed = ReleaseStatus(word: "failed")
    static let uninstalled = ReleaseStatus(word: "uninstalled")
    static let uninstalling = ReleaseStatus(word: "uninstalling")

    /// Helm works on it, or has died over it.
    var isPending: Bool { word.hasPrefix("pending-") }
}

/// One line of a release's history.
struct ReleaseRevision: Sendable, Hashable {
    let number: Int64
    let updated: Timestamp?
    let status: ReleaseStatus
    /// Name and version in one word: `nginx-1.2.3`.
    let chart: String
    let appVersion: String
    let description: String

    /// The revision that this one goes back to; nil when it is no rollback.
    var rolledBackTo: Int64? {
        description.hasPrefix("Rollback to ") ? Int64(description.dropFirst("Rollback to ".count)) : nil
    }

    var json: JSONObject {
        var object: JSONObject = [
            "revision": .integer(number), "status": .string(status.word), "chart": .string(chart),
            "app_version": .string(appVersion),
        ]
        object["updated"] = updated.map { .string($0.iso8601) }
        object["description"] = .string(HelmFailure.scrubbed(description).beginning(500))
        return object
    }

    /// What `helm history -o json` prints, oldest first.
    static func parse(_ bytes: [UInt8]) throws(DriverError) -> [ReleaseRevision] {
        guard let list = try JSONValue(helm: bytes).asArray else { throw .unreadable("helm history") }
        let revisions = list.compactMap { item -> ReleaseRevision? in
            guard let number = item["revision"]?.asInteger, let status = item["status"]?.asString else { return nil }
            return ReleaseRevision(
                number: number, updated: item["updated"]?.asString.flatMap { Timestamp(iso8601: $0) },
                status: ReleaseStatus(word: status), chart: item["chart"]?.asString ?? "",
                appVersion: item["app_version"]?.asString ?? "", description: item["description"]?.asString ?? "")
        }
        guard revisions.count == list.count else { throw .unreadable("helm history") }
        return revisions.sorted { $0.number < $1.number }
    }
}

/// One line of the list of releases.
struct ListedRelease: Sendable, Hashable {
    let id: ReleaseID
    let revision: Int64
    let status: ReleaseStatus
    let chart: String
    let appVersion: String
    /// As Helm prints it: the time of the node that changed it, with its zone.
    let updated: String

    var json: JSONObject {
        [
            "namespace": .string(id.namespace), "release": .string(id.name), "revision": .integer(revision),
            "status": .string(status.word), "chart": .string(chart), "app_version": .string(appVersion),
            "updated": .string(updated),
        ]
    }

    /// What `helm list -o json` prints; there a revision is a text.
    static func parse(_ bytes: [UInt8]) throws(DriverError) -> [ListedRelease] {
        guard let list = try JSONValue(helm: bytes).asArray else { throw .unreadable("helm list") }
        return try list.map { item throws(DriverError) in
            guard let name = item["name"]?.asString, let namespace = item["namespace"]?.asString,
                let status = item["status"]?.asString,
                let revision = item["revision"].flatMap({ $0.asInteger ?? $0.asString.flatMap { Int64($0) } })
            else { throw .unreadable("helm list") }
            return ListedRelease(
                id: ReleaseID(namespace: namespace, name: name), revision: revision,
                status: ReleaseStatus(word: status), chart: item["chart"]?.asString ?? "",
                appVersion: item["app_version"]?.asString ?? "", updated: item["updated"]?.asString ?? "")
        }
    }
}

/// A hook of a release's chart and how its last run went.
struct ReleaseHook: Sendable, Hashable {
    let name: String
    let kind: String
    let events: [String]
    /// Unknown, Running, Succeeded or Failed; nil when it has not run.
    let phase: String?

    /// As objects are named: `job/setup`.
    var word: String { "\(kind.lowercased())/\(name)" }
    /// Hooks that only `helm test` runs say nothing of the release.
    var counts: Bool { events != ["test"] }

    var json: JSONObject {
        var object: JSONObject = [
            "name": .string(name), "kind": .string(kind), "events": .array(events.map { .string($0) }),
        ]
        object["phase"] = phase.map { .string($0) }
        return object
    }

    /// What `helm status -o json` says of hooks. The rest of it (values and manifest, with their secrets) is dropped here.
    static func parse(_ bytes: [UInt8]) throws(DriverError) -> [ReleaseHook] {
        guard let release = try JSONValue(helm: bytes).asObject else { throw .unreadable("helm status") }
        return (release["hooks"]?.asArray ?? []).map { hook in
            let phase = hook["last_run"]?["phase"]?.asString
            return ReleaseHook(
                name: hook["name"]?.asString ?? "", kind: hook["kind"]?.asString ?? "",
                events: (hook["events"]?.asArray ?? []).compactMap(\.asString), phase: phase == "" ? nil : phase)
        }
    }
}

/// The name and the version that a chart gives itself.
struct ChartIdentity: Sendable, Hashable {
    let name: String
    let version: String

    /// As Helm shows it in its lists.
    var word: String { "\(name)-\(version)" }

    /// What `helm show chart` prints: YAML.
    static func parse(_ bytes: [UInt8]) throws(DriverError) -> ChartIdentity {
        let chart: JSONValue
        do { chart = try YAMLReader.read(String(decoding: bytes, as: UTF8.self), as: .goYAML) } catch {
            throw DriverError(.failed, "what helm show chart printed cannot be understood", cause: error.description)
        }
        guard let name = chart["name"]?.asString, let version = chart["version"]?.asString,
            Grammar.chartName.accepts(name), Grammar.chartVersion.accepts(version)
        else { throw .unreadable("helm show chart") }
        return ChartIdentity(name: name, version: version)
    }
}

extension JSONValue {
    init(helm bytes: [UInt8]) throws(DriverError) {
        do { self = try JSONParser.parse(bytes, limits: .local) } catch {
            throw DriverError(.failed, "what the tool printed is no JSON", cause: error.description)
        }
    }

    /// The same for comparing: without members that are null, whole numbers as such. Helm drops and changes those.
    var plain: JSONValue {
        switch self {
        case .object(let object):
            .object(JSONObject(object.members.filter { !$0.value.isNull }.map { ($0.key, $0.value.plain) }))
        case .array(let items): .array(items.map(\.plain))
        case .number(let number): Int64(exactly: number).map { .integer($0) } ?? self
        default: self
        }
    }

    /// This with what is in `other` laid over it, object by object.
    func overlaid(with other: JSONValue) -> JSONValue {
        guard var result = asObject, let above = other.asObject else { return other }
        for member in above.members {
            result[member.key] = result[member.key].map { $0.overlaid(with: member.value) } ?? member.value
        }
        return .object(result)
    }
}

extension DriverError {
    static func unreadable(_ command: String) -> DriverError {
        DriverError(.failed, "what \(command) printed cannot be understood")
    }
}

extension String {
    func trimmed(of characters: String) -> String {
        let rest = drop { characters.contains($0) }
        guard let last = rest.lastIndex(where: { !characters.contains($0) }) else { return "" }
        return String(rest[...last])
    }
}
