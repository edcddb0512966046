import APIModels
import Model
import Store

extension Queries {
    /// How many services a node names that is drained; the rest is counted.
    private static let limit = 200

    /// How far the drain of a node has come.
    func drain(of node: NodeRecord) async throws(CoreError) -> NodeDrainView? {
        guard let drain = node.drain else { return nil }
        let (now, catalogue) = (dependencies.clock.now(), dependencies.catalogue)
        let found = try await readFleet { store throws(StoreError) in
            try store.standings(on: node, catalogue, at: now).map { DrainedService($0.service, $0.standing) }
        }
        return NodeDrainView(
            stops: drain == .stops, left: found.count, services: Array(found.prefix(Self.limit)))
    }
}

extension DrainedService {
    fileprivate init(_ service: ServiceRecord, _ standing: DrainStanding) {
        self.init(
            id: service.id, externalID: service.externalID, product: service.product, state: service.state.rawValue,
            standing: "stays")
        switch standing {
        case .moving(let operation): (self.standing, self.operation) = ("moving", operation)
        case .stopping(let operation): (self.standing, self.operation) = ("stopping", operation)
        case .waiting(let operation): (self.standing, self.operation) = ("waiting", operation)
        case .toStop(let reason): (self.standing, self.reason) = ("waiting", reason)
        case .stopped: self.standing = "stopped"
        case .stays(let reason): self.reason = reason
        }
    }
}
