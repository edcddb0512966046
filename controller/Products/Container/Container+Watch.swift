import ControllerCore
import Model
import Placement
import ProductKit
import Store
import WireProtocol

extension Container {
    static let placement = PlacementNeeds { spec throws(CoreError) in try ContainerSpec(json: spec).demand }

    /// Containers bear the label `innkeeper.service`, which the driver reports as `service`.
    static let objects = MarkedObjects(driver: "docker", noun: "containers") { $0.state["service"]?.asString }

    /// The figures of its container by their own names, those of its data set as `dataset.used` and `dataset.quota`.
    @Sendable static func figures(_ service: ServiceRecord) -> [FigurePart] {
        var parts = [FigurePart(prefix: "container/\(service.id).", name: "")]
        if let dataset = service.address["dataset"]?.asString {
            parts.append(FigurePart(prefix: "zfs/\(dataset).", name: "dataset."))
        }
        return parts
    }

    static let drift = DriftWatch(
        .node(
            driver: "docker",
            question: { look, resource in
                ContainerPlace(look.held, look.reservation).map {
                    look.question("docker", "container.inspect", resource, ["name": .string($0.container)])
                }
            },
            read: { seen in
                if seen.status == .succeeded { return .report(.seen(seen.observed)) }
                return seen.error?.code == .notFound ? .report(.missing) : .unclear
            }),
        resource: { look in ContainerPlace(look.held, look.reservation).map { "docker/\($0.container)" } },
        judge: { service, report in ContainerDrift(of: service, reported: report)?.drift },
        repairs: { (try? ContainerSpec(json: $0.spec))?.repairs == true })

    @Sendable static func isGone(_ look: ServiceLook) async -> Bool {
        guard let place = ContainerPlace(look.held, look.reservation) else { return false }
        let container = await look.ask(
            place.node, "docker", "container.inspect", "docker/\(place.container)",
            ["name": .string(place.container)])
        guard container?.error?.code == .notFound else { return false }
        let dataset = await look.ask(
            place.node, "zfs", "dataset.usage", "zfs/\(place.dataset)", ["dataset": .string(place.dataset)])
        return dataset?.error?.code == .notFound
    }
}

/// How a container differs from what its service should be.
enum ContainerDrift: String, Sendable {
    case missing, stopped
    /// It runs although the service is suspended.
    case running
    /// The name is taken by a container of somebody else.
    case foreign

    /// Nil when all is as it should be.
    init?(of service: ServiceRecord, reported: DriftWatch.Report) {
        switch reported {
        case .missing: self = .missing
        case .seen(let state):
            let runs = ["running", "restarting", "paused"].contains(state["state"]?.asString ?? "")
            if let owner = state["service"]?.asString, owner != service.id {
                self = .foreign
            } else if service.state == .running, !runs {
                self = .stopped
            } else if service.state == .suspended, runs {
                self = .running
            } else {
                return nil
            }
        }
    }

    var drift: Drift {
        Drift(
            kind: rawValue, sentence: sentence, remedy: remedy, isRepairable: self == .missing || self == .stopped)
    }

    private var sentence: String {
        switch self {
        case .missing: "its container is not there."
        case .stopped: "its container does not run."
        case .running: "its container runs although it is suspended."
        case .foreign: "the name of its container is taken by somebody else's."
        }
    }

    private var remedy: String {
        switch self {
        case .missing: "Bring it back with innctl service repair; where its data is gone too, terminate it."
        case .stopped: "Bring it back with innctl service repair."
        case .running: "See who has started it, and stop it on its node."
        case .foreign: "Look at that container on the node; give the name free, then repair the service."
        }
    }
}
