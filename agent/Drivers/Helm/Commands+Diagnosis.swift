import DriverKit
import Model
import Processes
import WireProtocol

/// Why a release does not come up: what the cluster reports, and what its containers wrote.
extension HelmDriver {
    func listEvents(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let release = try reader.release()
        let limit = try reader.integer("limit")
        try reader.finish()
        let events = try await events(of: release)
        return .seen([
            "namespace": .string(release.namespace), "release": .string(release.name),
            "events": .array(events.suffix(Int(limit)).map { .object($0.json) }),
        ])
    }

    func sendLogs(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let release = try reader.release()
        let request = try LogRequest(&reader)
        try reader.finish()
        let pods = try await belongings(of: release).pods.filter { request.pod == nil || $0.name == request.pod }
        if pods.isEmpty, let pod = request.pod {
            throw DriverError(.notFound, "release \(release.name) has no pod \(pod)")
        }
        var count: Int64 = 0
        var problems: [String] = []
        for pod in pods.prefix(LogRequest.mostPods) {
            do throws(DriverError) {
                count += try await relay(pod.name, in: release.namespace, request, context)
            } catch {
                // A pod that has not started, or is gone by now, must not keep the others' logs back.
                guard error.code != .cancelled, error.code != .unavailable, request.pod == nil else { throw error }
                problems.append("\(pod.name): \(error.told)")
            }
        }
        return .seen([
            "namespace": .string(release.namespace), "release": .string(release.name), "bytes": .integer(count),
            "pods": .array(pods.prefix(LogRequest.mostPods).map { .string($0.name) }),
            "problems": .array(problems.map { .string($0) }),
        ])
    }

    /// The release's objects, those that its hooks have made included.
    func belongings(of release: ReleaseID) async throws(DriverError) -> ReleaseObjects {
        var names: Set<String> = []
        do throws(DriverError) { names = Set(try await hooks(of: release).map(\.word)) } catch {
            guard error.code == .notFound else { throw error }
        }
        return ReleaseObjects(of: release, in: try await objects(in: release.namespace), hooks: names)
    }

    /// Events of the release's objects, oldest first. Of objects that are gone only the name is left to tell by.
    func events(of release: ReleaseID) async throws(DriverError) -> [ClusterEvent] {
        let objects = try await belongings(of: release).objects
        let identities = Set(objects.map(\.identity))
        return try await list("events", in: release.namespace).map(ClusterEvent.init).filter { event in
            identities.contains(event.identity) || event.name == release.name
                || event.name.hasPrefix("\(release.name)-")
        }.sorted { ($0.time ?? "") < ($1.time ?? "") }
    }

    private func relay(
        _ pod: String, in namespace: String, _ request: LogRequest, _ context: ActionContext
    ) async throws(DriverError) -> Int64 {
        let counter = ByteCounter()
        let words = ["logs", "--namespace", namespace] + request.options + ["--", pod]
        try await tools.relay(.kubectl, words, within: request.follows ? nil : .seconds(60)) {
            stream, bytes throws(CancellationError) in
            guard stream == .stdout else { return }
            counter.add(bytes.count)
            try await context.output(.stdout, bytes)
        }
        return counter.value
    }

    /// Sends whoever waits for a failed change what there is to know about it. Its own failure is nobody's business.
    func explain(_ release: ReleaseID, _ context: ActionContext, _ secrets: SecretWords) async {
        guard let objects = try? await belongings(of: release) else { return }
        let events = ((try? await events(of: release)) ?? []).filter { $0.type == "Warning" }.suffix(20)
        var report = events.map { "event \($0.word) \($0.reason): \($0.message)\n" }.joined()
        let jobs = Set(objects.of("Job").filter { $0.condition("Failed") != nil }.map(\.identity))
        let sick = objects.pods.filter { !$0.failedContainers.isEmpty || !jobs.isDisjoint(with: $0.owners) }.prefix(3)
        for pod in sick {
            // A container that starts over and over has its last words in the run before.
            for previous in [false, true] {
                let words =
                    ["logs", "--namespace", release.namespace, "--all-containers", "--prefix", "--tail=30"]
                    + ["--limit-bytes=16384"] + (previous ? ["--previous"] : []) + ["--", pod.name]
                if let output = try? await tools.look(.kubectl, words, within: .seconds(20)) {
                    report += String(decoding: output.suffix(64 << 10), as: UTF8.self)
                }
            }
        }
        guard !report.isEmpty else { return }
        try? await context.output(.stderr, Array(secrets.hidden(in: report).utf8))
    }
}

/// Which of a release's logs a call asks for.
struct LogRequest: Sendable {
    let pod: String?
    let follows: Bool
    let options: [String]
    static let mostPods = 50

    init(_ reader: inout ArgumentReader) throws(DriverError) {
        pod = try reader.optionalString("pod")
        follows = try reader.bool("follow")
        let container = try reader.optionalString("container")
        let tail = try reader.integer("tail")
        let since = try reader.optionalInteger("since_s")
        let previous = try reader.bool("previous")
        if follows, pod == nil { throw .invalidArgument("follow", "needs a pod") }
        options =
            ["--prefix", "--tail=\(tail)", "--request-timeout=\(follows ? "0" : "60s")"]
            + (container.map { ["--container=\($0)"] } ?? ["--all-containers"])
            + (since.map { ["--since=\($0)s"] } ?? [])
            + (previous ? ["--previous"] : []) + (follows ? ["--follow"] : [])
    }
}

/// Something that the cluster reports about one of its objects.
struct ClusterEvent: Sendable {
    let identity: String
    let kind: String
    let name: String
    /// Normal or Warning.
    let type: String
    let reason: String
    let message: String
    let count: Int64
    /// Of the last time that it happened, as the cluster writes it.
    let time: String?

    init(_ object: ClusterObject) {
        let json = object.json
        let subject = json["involvedObject"]
        (kind, name) = (subject?["kind"]?.asString ?? "", subject?["name"]?.asString ?? "")
        identity = subject?["uid"]?.asString ?? ""
        (type, reason) = (json["type"]?.asString ?? "", json["reason"]?.asString ?? "")
        message = HelmFailure.scrubbed(json["message"]?.asString ?? "")
        count = json["count"]?.asInteger ?? json["series"]?["count"]?.asInteger ?? 1
        time =
            json["lastTimestamp"]?.asString ?? json["series"]?["lastObservedTime"]?.asString
            ?? json["eventTime"]?.asString ?? json["metadata"]?["creationTimestamp"]?.asString
    }

    var word: String { "\(kind.lowercased())/\(name)" }

    var json: JSONObject {
        var object: JSONObject = [
            "object": .string(word), "type": .string(type), "reason": .string(reason),
            "message": .string(message.beginning(1000)), "count": .integer(count),
        ]
        object["time"] = time.map { .string($0) }
        return object
    }
}
