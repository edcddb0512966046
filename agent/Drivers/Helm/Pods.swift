import Model
import WireProtocol

/// What pods say of themselves.
extension ClusterObject {
    /// Of all containers, those that prepare the pod first.
    var containers: [JSONValue] {
        (status["initContainerStatuses"]?.asArray ?? []) + (status["containerStatuses"]?.asArray ?? [])
    }

    var restarts: Int64 { containers.reduce(0) { $0 &+ ($1["restartCount"]?.asInteger ?? 0) } }

    /// Why a pod is not ready, in the words of Kubernetes; nil when it says nothing.
    var podReason: String? {
        if let reason = status["reason"]?.asString { return [reason, status["message"]?.asString].spoken }
        for container in containers {
            let state = container["state"]
            if let waiting = state?["waiting"], let reason = waiting["reason"]?.asString,
                reason != "ContainerCreating" && reason != "PodInitializing"
            {
                return [container["name"]?.asString, reason, waiting["message"]?.asString, container.lastEnd].spoken
            }
            if let ended = state?["terminated"], ended["exitCode"]?.asInteger != 0 {
                return [container["name"]?.asString, container.lastEnd ?? "ended"].spoken
            }
        }
        let unscheduled = condition("PodScheduled", "False")
        return unscheduled.flatMap { [$0["reason"]?.asString, $0["message"]?.asString].spoken }
    }

    /// The containers that have ended badly at least once: their last words are worth reading.
    var failedContainers: [String] {
        containers.compactMap { container in
            container.lastEnd == nil ? nil : container["name"]?.asString
        }
    }

    /// What its containers have left for whoever looks, having ended.
    private var lastWords: String? {
        let words = containers.compactMap { $0["state"]?["terminated"]?["message"]?.asString }.filter { !$0.isEmpty }
        return words.isEmpty ? nil : words.joined(separator: "\n")
    }

    var podJSON: JSONObject {
        var object: JSONObject = [
            "name": .string(name), "phase": .string(status["phase"]?.asString ?? "Unknown"),
            "ready": .bool(condition("Ready") != nil && !isTerminating), "restarts": .integer(restarts),
        ]
        if isTerminating { object["terminating"] = true }
        object["reason"] = podReason.map { .string(String($0.prefix(300))) }
        object["said"] = lastWords.map { .string(String($0.prefix(2000))) }
        return object
    }
}

extension JSONValue {
    /// How a container ended last when that was not well: `OOMKilled (137)`.
    fileprivate var lastEnd: String? {
        for key in ["state", "lastState"] {
            guard let ended = self[key]?["terminated"], let code = ended["exitCode"]?.asInteger, code != 0 else {
                continue
            }
            return "\(ended["reason"]?.asString ?? "ended") (\(code))"
        }
        return nil
    }
}

extension [String?] {
    /// What there is, with colons between; nil when there is nothing.
    fileprivate var spoken: String? {
        let parts = compactMap { $0 }.filter { !$0.isEmpty }
        return parts.isEmpty ? nil : parts.joined(separator: ": ")
    }
}
