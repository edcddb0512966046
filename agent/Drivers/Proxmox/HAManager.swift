import DriverKit
import Model
import WireProtocol

/// Whether somebody carries out what the HA manager is asked for: its CRM, on one of the cluster's nodes, notes the time
/// every ten seconds.
enum HAManager: Sendable, Hashable {
    case active(master: String)
    case silent(master: String, seconds: Int64)
    /// None has ever run.
    case absent

    /// Silence that is none: clocks of nodes differ.
    private static let patience: Int64 = 60

    /// - Parameter text: the CRM's own file.
    init(_ text: String?, now: Timestamp) {
        guard let status = text.flatMap({ try? JSONObject(parsing: $0) }), let master = status["master_node"]?.asString,
            let time = status["timestamp"]?.asLooseInteger
        else {
            self = .absent
            return
        }
        let seconds = (now.milliseconds / 1000).subtractingReportingOverflow(time).partialValue
        self = seconds <= Self.patience ? .active(master: master) : .silent(master: master, seconds: seconds)
    }

    var json: JSONObject {
        switch self {
        case .active(let master): ["state": "active", "master": .string(master)]
        case .silent(let master, let seconds):
            ["state": "silent", "master": .string(master), "silent_s": .integer(seconds), "note": .string(Self.note)]
        case .absent: ["state": "absent", "note": .string(Self.note)]
        }
    }

    private static let note = "what is asked of the HA manager happens when its CRM runs, at whatever time that is"

    /// As a clause.
    var words: String {
        switch self {
        case .active(let master): "the one on node \(master) may still do it"
        case .silent(let master, let seconds):
            "none has answered for \(seconds) s (the last was on node \(master)); whichever comes next may still do it"
        case .absent: "none runs in this cluster; one that is started later may still do it"
        }
    }
}

extension NodeFiles {
    func manager() -> HAManager { HAManager(FileText.read("\(root)/etc/pve/ha/manager_status"), now: .now()) }
}

extension ProxmoxDriver {
    /// Why a container of the HA manager is not as it was asked to be, and what may come of that yet.
    func unanswered(_ found: Guest, on: Bool, _ error: DriverError) async -> DriverError {
        guard let manager = try? await files.aside({ $0.manager() }) else { return error }
        let (verb, other) = on ? ("start", "container.stop") : ("stop", "container.start")
        let isActive = if case .active = manager { true } else { false }
        return DriverError(
            isActive ? .timedOut : .unavailable,
            "the HA manager was asked to \(verb) container \(found.vmid) and no CRM has done it: \(manager.words). "
                + "\(other) takes the request back",
            retryable: true, cause: error.message
        ).observing(["manager": .object(manager.json)]).afterChange()
    }
}
