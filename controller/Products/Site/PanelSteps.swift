import ControllerCore
import Model
import ProductKit
import Saga
import Store
import WireProtocol

/// Steps that sagas on a site that is there begin with, and what they note.
enum PanelSteps {
    static let place = StepKey<PanelPlace>("place")
    static let site = StepKey<PanelSight>("site")

    /// The books, then the site, which must be there and the service's.
    static func opening() -> [SagaStep<PanelScope>] {
        [
            SagaStep(place, places: true, act: { scope, _ throws(StepFailure) in try await scope.place() }),
            SagaStep(
                site, retry: ProvisionPanelSite.persistent, deadline: PanelScope.patience,
                act: { scope, call throws(StepFailure) in try await scope.site(call.output(place), call) }),
        ]
    }

    /// What a saga that changes nothing of the service's books notes.
    @Sendable static func note(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        service.observed["drift"] = nil
    }

    /// What became of certificate and analytics: in the address what whoever shows the site says, in `observed.wishes` when it is
    /// tried again.
    @Sendable static func noteWishes(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        let spec = try? CloudSiteSpec(json: service.spec)
        let time = operation.startedAt ?? operation.createdAt
        func wish(_ key: StepKey<Wish>) -> Wish {
            outputs[key.name].flatMap { try? Wish(json: $0) } ?? .givenUp(at: time)
        }
        let certificate = wish(ProvisionPanelSite.certificate)
        service.address["certificate"] = certificate.state == .off ? nil : .string(certificate.state.rawValue)
        service.address["certificate_reason"] = certificate.state == .wanted ? .string(certificate.reason) : nil
        if certificate.state == .active { service.observed["certificate_ends"] = certificate.value }
        certificate.note("certificate", in: &service, Pauses.certificate)
        let counted = wish(ProvisionPanelSite.analytics)
        service.address["analytics"] = counted.state == .off ? nil : spec?.analytics.map { .string($0) }
        if counted.state == .active { service.address["analytics_id"] = counted.value }
        counted.note("analytics", in: &service, Pauses.analytics)
        let scheme = certificate.state == .active ? "https" : "http"
        service.address["url"] = service.address["domain"]?.asString.map { .string("\(scheme)://\($0)") }
    }
}

/// How long to wait before something is tried again, by how often it was tried.
enum Pauses {
    /// Let's Encrypt allows five failures an hour for a name, and five certificates of the same names a week: never more than three in
    /// an hour, soon once a day. Where nobody was asked, because the names do not lead here yet, it is cheap to look.
    static func certificate(_ tries: Int64) -> Duration {
        tries == 0 ? .seconds(600) : min(.seconds(1200) * (1 << min(tries - 1, 8)), .seconds(86_400))
    }

    static func analytics(_ tries: Int64) -> Duration {
        min(.seconds(300) * (1 << min(max(0, tries - 1), 8)), .seconds(6 * 3600))
    }
}
