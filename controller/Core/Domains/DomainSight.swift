package import Store

/// What resolvers say of a domain, and what that means. Pure but for the questions.
package struct DomainSight: Sendable, Hashable {
    /// Whether the proof stands there.
    package var isProven: Bool
    /// Why it does not lead to the service, and to it alone; nil when it does.
    package var objection: String?

    package init(isProven: Bool, objection: String?) { (self.isProven, self.objection) = (isProven, objection) }

    /// Throws where nobody could say.
    /// - Parameter addresses: of the service.
    static func take(
        _ domain: DomainRecord, addresses: [String], _ resolver: ResolverPort
    ) async throws(PortError) -> DomainSight {
        guard try await resolver.look(domain.proofName, .txt).contains(domain.proofValue) else {
            return DomainSight(isProven: false, objection: nil)
        }
        var found: [String: [String]] = [:]
        for name in domain.names {
            found[name] = try await resolver.look(name, .a) + resolver.look(name, .aaaa)
        }
        return DomainSight(isProven: true, objection: objection(to: found, of: domain.names, ours: addresses))
    }

    /// - Parameter found: addresses by name.
    package static func objection(to found: [String: [String]], of names: [String], ours: [String]) -> String? {
        for name in names {
            let there = found[name] ?? []
            guard !there.isEmpty else {
                return "\(name) leads nowhere yet: it should lead to \(ours.sorted().joined(separator: ", "))"
            }
            if let other = there.first(where: { !ours.contains($0) }) {
                return "\(name) leads to \(other.prefix(45)), which is not the proxy"
            }
        }
        return nil
    }

    package static func missingProof(of domain: DomainRecord) -> String {
        "there is no TXT record \(domain.proofName) with \(domain.proofValue) yet"
    }
}
