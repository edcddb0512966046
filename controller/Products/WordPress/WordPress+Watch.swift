import ControllerCore
import Placement
import ProductKit
import Store
import WireProtocol

extension WordPress {
    /// Containers bear our mark, whose service the driver reports as `owner`.
    static let objects = MarkedObjects(driver: "proxmox", noun: "containers") { $0.state["owner"]?.asString }

    static let guest = MarkedThing(
        noun: SiteScope.noun, driver: "proxmox", allocation: "vmid", resource: { "proxmox/ct/\($0)" },
        question: { look, vmid in
            look.question(
                "proxmox", "container.inspect", "proxmox/ct/\(vmid)", ["vmid": .integer(Int64(vmid) ?? 0)])
        },
        mark: { state in
            state["owner"]?.asString.map { ThingMark(service: $0, nonce: state["nonce"]?.asString) }
        },
        isOrdered: { look, state in
            // The Ethernet address is no other's.
            let mac = look.held.first { $0.kind == "mac" }?.value.lowercased()
            let cards = state["networks"]?.asArray ?? []
            return state["copy_of"] == nil && mac != nil
                && cards.contains { $0["mac"]?.asString?.lowercased() == mac }
        },
        adoption: { ("container.mark", ["vmid": .integer(Int64($0) ?? 0)]) })

    /// The figures of its container by their own names.
    @Sendable static func figures(_ service: ServiceRecord) -> [FigurePart] {
        guard let vmid = service.address["vmid"]?.asInteger else { return [] }
        return [FigurePart(prefix: "\(SitePlace.resource(vmid)).", name: "")]
    }

    static let drift = DriftWatch(
        .node(
            driver: "proxmox",
            question: { look, resource in
                SitePlace(look.held, look.reservation).map {
                    look.question("proxmox", "container.inspect", resource, ["vmid": .integer($0.vmid)])
                }
            },
            read: { seen in
                if seen.status == .succeeded { return .report(.seen(seen.observed)) }
                guard let error = seen.error, error.code == .notFound else { return .unclear }
                // One that the HA manager has moved is on another node of the cluster, and the driver says so.
                return error.detail?.contains("on node") == true ? .unclear : .report(.missing)
            }),
        resource: { look in SitePlace(look.held, look.reservation)?.resource },
        judge: { service, report in SiteDrift(of: service, reported: report)?.drift },
        repairs: { (try? WordPressSpec(json: $0.spec))?.repairs == true })

    /// Neither container nor name is left.
    @Sendable static func isGone(_ look: ServiceLook) async -> Bool {
        guard let place = SitePlace(look.held, look.reservation), case .gone = await look.seek(place) else {
            return false
        }
        let (integrations, mark) = (look.dependencies.ports.integrations, look.service.id)
        // One that was never led anywhere has nothing there.
        guard let dns = look.service.address["dns"]?.asString, let proxy = look.service.address["proxy"]?.asString
        else {
            return look.service.address["host"] == nil
        }
        do throws(PortError) {
            let records = try await integrations.dns(dns).records
            for type in [DNSRecord.Kind.a, .aaaa] {
                let found = try await records.find(DNSRecord.name(type, place.host), mark)
                if let found, !records.bearsMarks || found.mark == mark { return false }
            }
            let routes = try await integrations.proxy(proxy).routes
            guard let route = try await routes.find(place.host, mark) else { return true }
            return routes.bearsMarks && route.mark != mark
        } catch { return false }
    }
}

/// Where the container of a service is.
enum Sought {
    case found(JSONObject)
    /// Each node of the cluster that could have it says that it has not.
    case gone, unclear, silent
}

extension ServiceLook {
    /// Asks the node that it was put on, and those that have told of it.
    func seek(_ place: SitePlace) async -> Sought {
        let store = dependencies.store
        var nodes = [place.node]
        do throws(StoreError) {
            if let cluster = try await store.node(place.node)?.cluster {
                for node in try await store.nodes(reporting: place.resource) where node != place.node {
                    if try await store.node(node)?.cluster == cluster { nodes.append(node) }
                }
            }
        } catch { return .unclear }
        var isUnclear = false
        for node in nodes {
            let seen = await ask(
                node, "proxmox", "container.inspect", place.resource, ["vmid": .integer(place.vmid)])
            guard let seen else { return .silent }
            if seen.status == .succeeded { return .found(seen.observed) }
            if seen.error?.code != .notFound { isUnclear = true }
        }
        return isUnclear ? .unclear : .gone
    }
}

/// How a site's container differs from what its service should be.
enum SiteDrift: String, Sendable {
    case missing, stopped
    /// It runs although the service is suspended.
    case running
    /// The container that has its number is somebody else's.
    case foreign

    /// Nil when all is as it should be.
    init?(of service: ServiceRecord, reported: DriftWatch.Report) {
        switch reported {
        case .missing: self = .missing
        case .seen(let state):
            let runs = state["status"] == "running"
            if state["owner"]?.asString != service.id {
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
        Drift(kind: rawValue, sentence: sentence, remedy: remedy, isRepairable: self == .stopped)
    }

    private var sentence: String {
        switch self {
        case .missing: "its container is on no node that could have it."
        case .stopped: "its container does not run."
        case .running: "its container runs although it is suspended."
        case .foreign: "the container that has its number bears another mark, or none."
        }
    }

    private var remedy: String {
        switch self {
        case .missing: "Restore a backup with innctl service verb restore."
        case .stopped: "Bring it back with innctl service repair."
        case .running: "See who has started it, and stop it on its node."
        case .foreign: "Look at that container on the node; give it the service's mark if it is the service's."
        }
    }
}
