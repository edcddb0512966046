import Model
import WireProtocol

/// How far a release is, from one look at its objects and hooks.
struct Readiness: Sendable {
    let objects: ReleaseObjects
    let hooks: [ReleaseHook]
    let needsAddress: Bool

    /// What each object that matters has to say. Pods of a job are its own affair, and so are those that end.
    var states: [(object: ClusterObject, state: ObjectState)] {
        let jobs = Set(objects.of("Job").map(\.identity))
        return objects.objects.compactMap { object in
            switch object.kind {
            case "Deployment": (object, object.deploymentState)
            case "StatefulSet": (object, object.statefulSetState)
            case "DaemonSet": (object, object.daemonSetState)
            case "Job": (object, object.jobState)
            case "Ingress": (object, object.ingressState(needsAddress))
            case "PersistentVolumeClaim": (object, object.claimState)
            case "Pod" where !object.isTerminating && jobs.isDisjoint(with: object.owners) && !object.isCastOff:
                (object, object.podState)
            default: nil
            }
        }
    }

    /// One sentence for each thing that is not ready.
    var problems: [String] {
        states.compactMap { item in item.state.problem.map { "\(item.object.word): \($0)" } }
            + hooks.filter { $0.counts && ($0.phase == "Failed" || $0.phase == "Running") }.map {
                "hook \($0.name): \($0.phase == "Failed" ? "failed" : "is running")"
            }
    }

    /// The first thing that will not become ready by itself.
    var failure: String? {
        for item in states {
            if case .failed(let problem) = item.state { return "\(item.object.word): \(problem)" }
        }
        return hooks.first { $0.counts && $0.phase == "Failed" }.map { "hook \($0.name) failed" }
    }

    var isReady: Bool { problems.isEmpty }

    var json: JSONObject {
        let problems = problems
        return [
            "ready": .bool(problems.isEmpty), "failed": .bool(failure != nil),
            "problems": .array(problems.prefix(100).map { .string(String($0.prefix(500))) }),
            "pods": .array(objects.pods.prefix(200).map { .object($0.podJSON) }),
            "jobs": .array(objects.of("Job").prefix(100).map { .object($0.jobJSON) }),
            "ingresses": .array(objects.of("Ingress").prefix(100).map { .object($0.ingressJSON) }),
        ]
    }
}

extension ClusterObject {
    fileprivate var deploymentState: ObjectState {
        if spec["paused"]?.asBool == true { return .waiting("is paused") }
        guard isSeen else { return .waiting("the newest version was not taken up yet") }
        if let stalled = condition("Progressing", "False"),
            stalled["reason"]?.asString == "ProgressDeadlineExceeded"
        {
            return .failed("made no progress within its deadline")
        }
        if let refused = condition("ReplicaFailure") {
            return .waiting("pods are refused: \(refused["message"]?.asString ?? "")")
        }
        let wanted = count(spec, "replicas", default: 1)
        let (updated, all, available) = (
            count(status, "updatedReplicas"), count(status, "replicas"), count(status, "availableReplicas")
        )
        return updated == wanted && all == updated && available == updated
            ? .ready : .waiting("\(available) of \(wanted) are available, \(updated) of the newest version")
    }

    fileprivate var statefulSetState: ObjectState {
        guard isSeen else { return .waiting("the newest version was not taken up yet") }
        let wanted = count(spec, "replicas", default: 1)
        let strategy = spec["updateStrategy"]
        let partition = strategy?["rollingUpdate"]?["partition"]?.asInteger ?? 0
        let isManual = strategy?["type"]?.asString == "OnDelete"
        let toUpdate = isManual || partition >= wanted ? 0 : wanted - max(0, partition)
        let (updated, ready) = (count(status, "updatedReplicas"), count(status, "readyReplicas"))
        return ready >= wanted && updated >= toUpdate
            ? .ready : .waiting("\(ready) of \(wanted) are ready, \(updated) of the newest version")
    }

    fileprivate var daemonSetState: ObjectState {
        guard isSeen else { return .waiting("the newest version was not taken up yet") }
        let wanted = count(status, "desiredNumberScheduled")
        let isManual = spec["updateStrategy"]?["type"]?.asString == "OnDelete"
        let updated = isManual ? wanted : count(status, "updatedNumberScheduled")
        let ready = count(status, "numberReady")
        return ready >= wanted && updated >= wanted
            ? .ready : .waiting("\(ready) of \(wanted) are ready, \(updated) of the newest version")
    }

    /// FailureTarget and SuccessCriteriaMet come before the pods have ended: they are no end.
    fileprivate var jobState: ObjectState {
        if condition("Complete") != nil { return .ready }
        if let failed = condition("Failed") {
            let reason = [failed["reason"]?.asString, failed["message"]?.asString].compactMap { $0 }
            return .failed("failed" + (reason.isEmpty ? "" : ": \(reason.joined(separator: ": "))"))
        }
        if condition("Suspended") != nil { return .waiting("is suspended") }
        return .waiting("\(count(status, "succeeded")) succeeded, \(count(status, "failed")) failed so far")
    }

    fileprivate func ingressState(_ needsAddress: Bool) -> ObjectState {
        !needsAddress || !addresses.isEmpty ? .ready : .waiting("has no address yet")
    }

    fileprivate var claimState: ObjectState {
        switch status["phase"]?.asString {
        case "Bound": .ready
        case "Lost": .failed("its volume is lost")
        default: .waiting("is not bound to a volume")
        }
    }

    /// Evicted and failed pods stay in the list after their set has replaced them: the set's counts tell.
    fileprivate var isCastOff: Bool { !owners.isEmpty && status["phase"]?.asString == "Failed" }

    fileprivate var podState: ObjectState {
        switch status["phase"]?.asString {
        case "Succeeded": .ready
        case "Failed" where owners.isEmpty: .failed("failed\(podReason.map { ": \($0)" } ?? "")")
        default: condition("Ready") != nil ? .ready : .waiting(podReason ?? "is not ready")
        }
    }

    private var addresses: [String] {
        (status["loadBalancer"]?["ingress"]?.asArray ?? []).compactMap {
            $0["ip"]?.asString ?? $0["hostname"]?.asString
        }
    }

    fileprivate var ingressJSON: JSONObject {
        let hosts = (spec["rules"]?.asArray ?? []).compactMap { $0["host"] }
        return [
            "name": .string(name), "hosts": .array(hosts), "addresses": .array(addresses.map { .string($0) }),
            "tls": .bool(spec["tls"]?.asArray?.isEmpty == false),
        ]
    }

    fileprivate var jobJSON: JSONObject {
        [
            "name": .string(name),
            "state": .string(jobState == .ready ? "complete" : condition("Failed") != nil ? "failed" : "active"),
            "succeeded": .integer(count(status, "succeeded")), "failed": .integer(count(status, "failed")),
        ]
    }
}
