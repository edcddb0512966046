import ControllerCore
import Model
import ProductKit
import Store
import WireProtocol

extension CloudSite {
    /// Sites bear our mark in a folder that only root may read.
    static let objects = MarkedObjects(driver: "cloudpanel", noun: "sites") {
        $0.state["mark"]?["service"]?.asString
    }

    /// One without a mark is taken into care only where an order says so.
    static let site = MarkedThing(
        noun: PanelScope.noun, driver: "cloudpanel", allocation: PanelPlace.siteKind, resource: PanelPlace.resource,
        question: { look, domain in
            look.question("cloudpanel", "site.show", PanelPlace.resource(domain), ["domain": .string(domain)])
        },
        mark: { state in
            state["mark"]?["service"]?.asString.map {
                ThingMark(service: $0, nonce: state["mark"]?["nonce"]?.asString)
            }
        },
        isOrdered: { look, state in
            // It was seen to be ours when it was made: somebody has lost the mark.
            look.service.address["user"] != nil && state["user"] == look.service.address["user"]
        },
        adoption: { ("site.mark", ["domain": .string($0)]) })

    static let drift = DriftWatch(
        .node(
            driver: "cloudpanel",
            question: { look, resource in
                PanelPlace(look.held, look.reservation).map {
                    look.question("cloudpanel", "site.show", resource, ["domain": .string($0.domain)])
                }
            },
            read: { seen in
                if seen.status == .succeeded { return .report(.seen(seen.observed)) }
                return seen.error?.code == .notFound ? .report(.missing) : .unclear
            }),
        resource: { look in PanelPlace(look.held, look.reservation)?.resource },
        judge: { service, report in PanelDrift(of: service, reported: report)?.drift })

    /// Certificate and counting of visits.
    static let wishes = WishOffer(
        names: ["certificate", "analytics"],
        missing: { service in
            (service.observed["wishes"]?.asObject?.members ?? []).map { wish in
                func time(_ key: String) -> Timestamp { Timestamp(milliseconds: wish.value[key]?.asInteger ?? 0) }
                return WishOffer.Missing(
                    wish.key, reason: wish.value["reason"]?.asString ?? "", since: time("since"), next: time("next"))
            }
        }, verb: CompletePanelSite.verb)

    /// The panel has no such site.
    @Sendable static func isGone(_ look: ServiceLook) async -> Bool {
        guard let place = PanelPlace(look.held, look.reservation) else { return false }
        let seen = await look.ask(
            place.node, "cloudpanel", "site.show", place.resource, ["domain": .string(place.domain)])
        return seen?.status != .succeeded && seen?.error?.code == .notFound
    }

    /// What whoever sees a site may know of it: `domain`, `user`, `doc_root`, `url`, `certificate` (`active` or `wanted`, with
    /// `certificate_reason`), `analytics_id`, `type`, `databases` (names), `port`.
    @Sendable static func shown(_ service: ServiceRecord) -> JSONObject {
        var shown: JSONObject = ["type": service.spec["type"] ?? .null]
        for key in ["domain", "user", "doc_root", "url", "certificate", "certificate_reason", "analytics_id", "port"] {
            shown[key] = service.address[key]
        }
        shown["domain"] = shown["domain"] ?? service.spec["domain"]
        shown["databases"] = service.observed["databases"] ?? .array([])
        return shown
    }
}

/// How a site differs from what its service should be.
enum PanelDrift: String, Sendable {
    case missing, suspended
    /// It is seen although the service is suspended.
    case running
    /// What has its domain is somebody else's.
    case foreign

    /// Nil when all is as it should be.
    init?(of service: ServiceRecord, reported: DriftWatch.Report) {
        switch reported {
        case .missing: self = .missing
        case .seen(let state):
            let isSuspended = state["suspended"] == true
            if state["mark"]?["service"]?.asString != service.id {
                self = .foreign
            } else if service.state == .running, isSuspended {
                self = .suspended
            } else if service.state == .suspended, !isSuspended {
                self = .running
            } else {
                return nil
            }
        }
    }

    var drift: Drift { Drift(kind: rawValue, sentence: sentence, remedy: remedy, isRepairable: false) }

    private var sentence: String {
        switch self {
        case .missing: "the panel has no such site."
        case .suspended: "it is suspended on its server, and should run."
        case .running: "it is seen by visitors although it is suspended."
        case .foreign: "the site that has its domain bears another mark, or none."
        }
    }

    private var remedy: String {
        switch self {
        case .missing: "See who has deleted it, and restore a backup with innctl service verb restore."
        case .suspended: "Bring it back with innctl service repair."
        case .running: "Suspend it again: resume it and suspend it with innctl."
        case .foreign: "Look at that site on its server; give it the service's mark if it is the service's."
        }
    }
}
