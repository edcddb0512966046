import DriverKit
import WireProtocol

/// One thing that a call wants of a container's configuration.
struct Want: Sendable {
    /// The key: `memory`, `net0`.
    let key: String
    /// How the tool is told.
    let value: String
    let isMet: @Sendable (String?) -> Bool
}

/// What is left to do for a change, as the container's configuration stands.
///
/// What a running container does not take stands apart in its configuration and is not in force: it takes it when it
/// stops. So both are looked at, what is in force and what will be.
struct ChangePlan: Sendable, Hashable {
    /// Words that set what is not there.
    var settings: [String] = []
    /// Keys that go.
    var removals: [String] = []
    /// Keys whose pending change is against the wish: what is in force is right, and would be lost.
    var reverts: [String] = []
    /// Keys that are as wished only after the container has stopped.
    var waiting: [String] = []
    /// Words that set those again: the container may take them now.
    var again: [String] = []

    var asksNothing: Bool { settings.isEmpty && removals.isEmpty && reverts.isEmpty }

    /// For the tool.
    var words: [String] {
        settings + again + (removals.isEmpty ? [] : ["--delete", removals.joined(separator: ",")])
            + (reverts.isEmpty ? [] : ["--revert", reverts.joined(separator: ",")])
    }

    mutating func add(_ want: Want, in config: GuestConfig) {
        switch (want.isMet(config[want.key]), want.isMet(config.wished(want.key))) {
        case (true, true): break
        case (true, false): reverts.append(want.key)
        case (false, true):
            waiting.append(want.key)
            again += ["--\(want.key)", want.value]
        case (false, false): settings += ["--\(want.key)", want.value]
        }
    }

    mutating func remove(_ key: String, in config: GuestConfig) {
        switch (config[key] == nil, config.wished(key) == nil) {
        case (true, true): break
        case (true, false): reverts.append(key)
        case (false, true): waiting.append(key)
        case (false, false): removals.append(key)
        }
    }
}

extension GuestConfig {
    /// Keys that go when the container stops.
    var pendingRemovals: Set<String> {
        // A removal by force bears an exclamation mark.
        Set((pending["delete"] ?? "").split(separator: ",").map { String($0.drop { $0 == "!" || $0 == " " }) })
    }

    /// Keys with a change that waits for the container to stop.
    var waiting: Set<String> { Set(pending.keys).subtracting(["delete"]).union(pendingRemovals) }

    /// The value that counts from the next start on.
    func wished(_ key: String) -> String? {
        key == "delete" ? nil : pending[key] ?? (pendingRemovals.contains(key) ? nil : values[key])
    }
}
