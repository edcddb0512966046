import ControllerCore
import Saga
import Store
import WireProtocol

/// What a site can be without for a while.
extension PanelScope {
    // MARK: the certificate

    /// Sees to it that the site has a certificate of its names. That it cannot be had yet is no failure.
    /// - Parameter names: beside the site's own domain.
    func certify(_ place: PanelPlace, _ names: [String], _ call: StepCall) async throws(StepFailure) -> Wish {
        let now = dependencies.clock.now()
        guard spec.wantsCertificate else { return Wish(.off, at: now) }
        // Who asks the authority in vain is counted: it is not asked before the names lead here.
        if let reason = await objection(to: certified(place.domain) + names, of: place) {
            return Wish(.wanted, reason, at: now, isTried: false)
        }
        let seen: JSONObject
        do throws(StepFailure) {
            seen = try await order(
                "certificate.order", place, ["names": .array(names.map { .string($0) })], call)
        } catch {
            guard isAnswer(error, call) else { throw error }
            return Wish(.wanted, error.message, at: dependencies.clock.now())
        }
        return Wish(.active, at: now, value: seen["not_after"] ?? .null)
    }

    /// Whether a failure says that something cannot be had now, and asking at once again is no use.
    private func isAnswer(_ failure: StepFailure, _ call: StepCall) -> Bool {
        switch failure.kind {
        case .unanswered, .interrupted: false
        case .final: failure.code != "foreign"
        case .retryable: failure.code == "failed" || call.attempt >= RetryPolicy.standard.attempts
        }
    }

    /// What the panel orders for a domain by itself.
    func certified(_ domain: String) -> [String] {
        if domain.split(separator: ".").count == 2 { return [domain, "www.\(domain)"] }
        return domain.hasPrefix("www.") ? [domain, String(domain.dropFirst(4))] : [domain]
    }

    /// Why the authority could not find one of the names here; nil when nothing is known against it.
    func objection(to names: [String], of place: PanelPlace) async -> String? {
        let ours = await publicAddresses(of: place)
        for name in names {
            let found: [String]
            do throws(PortError) {
                let resolver = dependencies.ports.resolver
                found = try await resolver.look(name, .a) + resolver.look(name, .aaaa)
            } catch { return nil }
            guard !found.isEmpty else {
                return "\(name) leads nowhere yet" + (ours.isEmpty ? "" : ": it should lead to \(Self.list(ours))")
            }
            if !ours.isEmpty, let other = found.first(where: { !ours.contains($0) }) {
                return "\(name) leads to \(other.prefix(45)), and should lead to \(Self.list(ours))"
            }
        }
        return nil
    }

    private static func list(_ addresses: [String]) -> String { addresses.sorted().joined(separator: ", ") }

    /// Under which the world reaches the server, where somebody has said so.
    func publicAddresses(of place: PanelPlace) async -> [String] {
        guard spec.addresses.isEmpty else { return spec.addresses }
        let node = try? await dependencies.store.node(place.node)
        return node?.labels["address"].map { [$0] } ?? []
    }

    // MARK: analytics

    private func counter(_ name: String) async throws(PortError) -> ObjectProvider<AnalyticsSite> {
        try await dependencies.ports.integrations.analytics(name).sites
    }

    /// Sees to it that visits are counted. Whoever counts is a help: without him the site is up all the same.
    func count(_ place: PanelPlace, _ call: StepCall) async throws(StepFailure) -> Wish {
        let now = dependencies.clock.now()
        guard let name = spec.analytics else { return Wish(.off, at: now) }
        do throws(StepFailure) { try await use(integration: name) } catch {
            guard error.kind == .final else { throw error }
            return Wish(.wanted, error.message, at: now)
        }
        do throws(PortError) {
            let counter = try await counter(name)
            var found = try await counter.find(place.domain, mark)
            if found == nil {
                try await counter.put(AnalyticsSite(domain: place.domain), mark)
                found = try await counter.find(place.domain, mark)
            }
            guard let id = found?.thing.id else {
                return Wish(.wanted, "\(name) has taken \(place.domain) and does not show it yet", at: now)
            }
            return Wish(.active, at: now, value: .string(id))
        } catch {
            let mayHelp = [.silent, .busy].contains(error.kind) && call.attempt < RetryPolicy.standard.attempts
            guard !mayHelp else { throw StepFailure(error, "analytics of \(place.domain)") }
            return Wish(.wanted, error.message, at: now)
        }
    }

    /// What was counted goes only where it was made for this service.
    func uncount(_ place: PanelPlace) async throws(StepFailure) {
        guard let name = spec.analytics ?? service.address["analytics"]?.asString else { return }
        do throws(PortError) {
            let counter = try await counter(name)
            guard let found = try await counter.find(place.domain, mark), found.mark == mark else { return }
            try await counter.remove(place.domain, mark)
        } catch { throw StepFailure(error, "analytics of \(place.domain)") }
    }
}
