import ControllerCore
import Saga
import WireProtocol

/// Zones of customers' domains at our name servers.
extension SiteScope {
    /// The integration that makes them; nil where none is set up.
    func zoneKeeper() async throws(StepFailure) -> String? {
        do throws(PortError) {
            if let named = spec.zones { return named }
            return try await dependencies.ports.integrations.offering(.zones).first
        } catch { throw StepFailure(error, "zones") }
    }

    private func zones(_ name: String) async throws(StepFailure) -> ObjectProvider<DNSZone> {
        do throws(PortError) { return try await dependencies.ports.integrations.zones(name) } catch {
            throw StepFailure(error, "integration \(name)")
        }
    }

    func isZoneFree(_ domain: String, at name: String) async throws(StepFailure) -> Bool {
        try await isFree(domain, at: zones(name))
    }

    func makeZone(of domain: String, at name: String, wasFree: Bool) async throws(StepFailure) {
        _ = try await ensure(DNSZone(domain: domain), at: zones(name), wasFree: wasFree)
    }

    /// Only one that this service has made.
    func removeZone(of domain: SiteDomain) async throws(StepFailure) {
        guard let name = domain.zone else { return }
        try await ensureGone(domain.name, at: zones(name), wasFree: true)
    }
}
