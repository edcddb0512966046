import Model
import WireProtocol

/// How far a release is, from one look at its objects and hooks.
struct Readiness: Sendable {
    let objects: ReleaseObjects
    let hooks: [ReleaseHook]
    let needsAddress: Bool

    /// What each object that matters has to say. Pods of a job are its own affair, so are those that end, and those of a
    /// deployment that somebody has paused.
    var states: [(object: ClusterObject, state: ObjectState)] {
        let jobs = Set(objects.of("Job").map(\.identity))
        let paused = Set(objects.of("Deployment").filter(\.isPaused).map(\.identity))
        let halted = Set(
            objects.of("ReplicaSet").filter { !paused.isDisjoint(with: $0.owners) }.map(\.identity))
        let excused = jobs.union(halted)
        return objects.objects.compactMap { object in
            switch object.kind {
            case "Deployment": (object, object.deploymentState)
            case "StatefulSet": (object, object.statefulSetState)
            case "DaemonSet": (object, object.daemonSetState)
            case "ReplicaSet" where object.owners.isEmpty: (object, object.replicaSetState)
            case "Service": (object, object.serviceState(needsAddress))
            case "Job": (object, object.jobState)
            case "Ingress": (object, object.ingressState(needsAddress))
            case "PersistentVolumeClaim": (object, object.claimState)
            case "Pod" where !object.isTerminating && excused.isDisjoint(with: object.owners) && !object.isCastOff:
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
    /// Somebody wants it to stay as it is: for Helm, too, that is ready.
    fileprivate var isPaused: Bool { spec["paused"]?.asBool == true }

    fileprivate var deploymentState: ObjectState {
        if isPaused { return .ready }
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
        guard ready == wanted, updated >= toUpdate else {
            return .waiting("\(ready) of \(wanted) are ready, \(updated) of the newest version")
        }
        // Both are the same once the last pod of an update counts.
        let (current, newest) = (status["currentRevision"]?.asString, status["updateRevision"]?.asString)
        let isWhole = isManual || partition > 0 || newest == nil || current == newest
        return isWhole ? .ready : .waiting("its update to the newest version has not ended")
    }

    /// One that stands for itself: those of a deployment are its affair.
    fileprivate var replicaSetState: ObjectState {
        guard isSeen else { return .waiting("the newest version was not taken up yet") }
        let (wanted, ready) = (count(spec, "replicas", default: 1), count(status, "readyReplicas"))
        return ready >= wanted ? .ready : .waiting("\(ready) of \(wanted) are ready")
    }

    /// - Parameter needsAddress: whether a balancer of load must have one.
    fileprivate func serviceState(_ needsAddress: Bool) -> ObjectState {
        let type = spec["type"]?.asString ?? "ClusterIP"
        if type == "ExternalName" { return .ready }
        if spec["clusterIP"]?.asString ?? "" == "" { return .waiting("has no address in the cluster yet") }
        let isGiven = spec["externalIPs"]?.asArray?.isEmpty == false
        guard type == "LoadBalancer", needsAddress, !isGiven, addresses.isEmpty else { return .ready }
        return .waiting("no load balancer has an address for it yet")
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
