import Logging
import Model
import Store
import WireProtocol

/// Tells of what services are still without, and has it tried again when its time has come. A bounded number at a time: who gives
/// certificates or counts visits may have been away from all of them.
struct UnfulfilledWishes: Reconciler {
    let name = "wishes"
    let interval = Duration.seconds(60)
    let operations: Operations
    /// Operations that one round begins.
    static let batch = 50

    func reconcile(_ dependencies: Dependencies) async throws {
        var due: [(service: String, verb: Verb, next: Timestamp)] = []
        for product in dependencies.catalogue.products {
            guard let offer = product.wishes else { continue }
            var page = PageRequest(limit: 100)
            while true {
                let filter = ServiceFilter(states: [.running, .suspended], product: product.name)
                let found = try await dependencies.store.services(filter, page: page)
                for service in found.items {
                    let missing = offer.missing(service)
                    try await tell(missing, of: service, offer, dependencies)
                    if offer.verb.from.contains(service.state), let next = missing.map(\.next).min(),
                        next <= dependencies.clock.now()
                    {
                        due.append((service.id, offer.verb, next))
                    }
                }
                guard let next = found.next else { break }
                page.after = next
            }
        }
        due.sort { ($0.next, $0.service) < ($1.next, $1.service) }
        for one in due.prefix(Self.batch) { try await retry(one.service, one.verb, dependencies) }
    }

    private func tell(
        _ missing: [WishOffer.Missing], of service: ServiceRecord, _ offer: WishOffer, _ dependencies: Dependencies
    ) async throws {
        let (store, now, subject) = (dependencies.store, dependencies.clock.now(), "service/\(service.id)")
        for name in offer.names {
            if let one = missing.first(where: { $0.name == name }) {
                try await store.raise(.wanted(one, service), at: now)
            } else {
                try await store.resolve(
                    Finding.wantedKind(name), subject: subject, by: "reconciler/\(self.name)", at: now)
            }
        }
    }

    /// Whoever is at work on the service now may bring it himself.
    private func retry(_ service: String, _ verb: Verb, _ dependencies: Dependencies) async throws {
        guard try await dependencies.store.unfinishedOperations(service: service).isEmpty else { return }
        do throws(CoreError) {
            _ = try await operations.order(
                verb.name, on: service, parameters: [:], by: Requester(name: "reconciler/\(name)"))
        } catch {
            dependencies.logger.warning(
                "what a service is without could not be tried again",
                metadata: ["service": "\(service)", "error": "\(error)"])
        }
    }
}

extension Finding {
    fileprivate static func wanted(_ missing: WishOffer.Missing, _ service: ServiceRecord) -> Finding {
        Finding(
            wantedKind(missing.name), subject: "service/\(service.id)", .warning, node: service.node,
            service: service.id,
            summary:
                "Service \(service.externalID ?? service.id) is without its \(missing.name) since \(missing.since.iso8601): \(missing.reason).",
            remedy:
                "It is tried again by itself. Put right what the reason names, and try at once with innctl service verb complete."
        )
    }
}
