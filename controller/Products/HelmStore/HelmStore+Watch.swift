import ControllerCore
import ProductKit
import Store
import WireProtocol

extension HelmStore {
    static let drift = DriftWatch(
        .node(
            driver: "helm",
            question: { look, resource in
                StorePlace(look.held, look.reservation).map { place in
                    look.question(
                        "helm", "release.status", resource,
                        ["namespace": .string(place.namespace), "release": .string(place.release)])
                }
            },
            read: { seen in
                guard seen.status == .succeeded else { return .unclear }
                return .report(seen.observed["present"] == true ? .seen(seen.observed) : .missing)
            }),
        resource: { look in StorePlace(look.held, look.reservation)?.resource },
        judge: { _, report in StoreDrift(report)?.drift })

    /// What whoever sees a shop may know of it: `name`, `engine`, `store` (its id), `url`, `host`, `namespace`, `release`.
    @Sendable static func shown(_ service: ServiceRecord) -> JSONObject {
        var shown: JSONObject = [:]
        for key in ["name", "engine", "version"] { shown[key] = service.spec[key] }
        shown["store"] = service.address["store"] ?? service.spec["id"]
        for key in ["url", "host", "namespace", "release"] { shown[key] = service.address[key] }
        return shown
    }

    /// The namespace is not there, and nothing without it.
    @Sendable static func isGone(_ look: ServiceLook) async -> Bool {
        guard let place = StorePlace(look.held, look.reservation) else { return false }
        let seen = await look.ask(
            place.node, "helm", "namespace.inspect", place.space, ["namespace": .string(place.namespace)])
        return seen?.status == .succeeded && seen?.observed["present"] == false
    }
}

/// How a shop's release differs from what its service should be.
enum StoreDrift: String, Sendable {
    case missing
    /// A change of it has failed, or was cut off.
    case broken

    init?(_ reported: DriftWatch.Report) {
        switch reported {
        case .missing: self = .missing
        case .seen(let state):
            guard state["status"] != "deployed" else { return nil }
            self = .broken
        }
    }

    var drift: Drift {
        switch self {
        case .missing:
            Drift(
                kind: rawValue, sentence: "its release is not in the cluster.",
                remedy: "Bring it back with innctl service repair; its data are in the claims of its namespace.",
                isRepairable: false)
        case .broken:
            Drift(
                kind: rawValue, sentence: "its release is not deployed: a change of it failed or was cut off.",
                remedy: "Look at helm history on the node, then put it right with innctl service repair.",
                isRepairable: false)
        }
    }
}
