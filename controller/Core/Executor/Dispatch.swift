import Store

/// How many operations run at the same time.
package struct ExecutorLimits: Sendable, Hashable {
    /// On one node.
    package var perNode: Int
    /// Of one kind, over all nodes.
    package var perKind: Int
    /// Not placed on a node yet.
    package var unplaced: Int

    package static let standard = ExecutorLimits(perNode: 10, perKind: 200, unplaced: 32)

    package init(perNode: Int, perKind: Int, unplaced: Int) {
        self.perNode = max(1, perNode)
        self.perKind = max(1, perKind)
        self.unplaced = max(1, unplaced)
    }
}

/// Which of the waiting operations may begin now. Pure; the executor only obeys.
struct Dispatch: Sendable {
    var limits: ExecutorLimits
    var catalogue: Catalogue

    /// - Parameters:
    ///   - unfinished: queued and running operations, oldest first.
    ///   - active: ids of those that have a run already.
    ///   - resting: ids of those that are to wait a little.
    func choose(_ unfinished: [OperationRecord], active: Set<String>, resting: Set<String> = []) -> [OperationRecord] {
        var load = Load(catalogue: catalogue)
        for operation in unfinished where active.contains(operation.id) { load.add(operation) }
        var heads: Set<String> = []
        var chosen: [OperationRecord] = []
        for operation in unfinished.sorted(by: Self.precedes) {
            // One at a time for each service, in the order in which they came; a resting head holds up the others.
            if let service = operation.service, !heads.insert(service).inserted { continue }
            if active.contains(operation.id) || resting.contains(operation.id) { continue }
            // What has begun goes on whatever the limits are: its effects are out there.
            guard operation.state == .running || load.hasRoom(for: operation, limits) else { continue }
            load.add(operation)
            chosen.append(operation)
        }
        return chosen
    }

    private static func precedes(_ left: OperationRecord, _ right: OperationRecord) -> Bool {
        if left.service == right.service, left.service != nil { return left.position < right.position }
        return left.id < right.id
    }

    private struct Load {
        let catalogue: Catalogue
        /// What shares a node's places, by node.
        var nodes: [String: Int] = [:]
        /// What has places of its own there, by kind and node.
        var own: [String: Int] = [:]
        var kinds: [String: Int] = [:]
        var unplaced = 0

        mutating func add(_ operation: OperationRecord) {
            kinds[operation.kind, default: 0] += 1
            guard catalogue.sharesPlaces(operation) else {
                own[Self.key(operation), default: 0] += 1
                return
            }
            if let node = operation.node { nodes[node, default: 0] += 1 } else { unplaced += 1 }
        }

        func hasRoom(for operation: OperationRecord, _ limits: ExecutorLimits) -> Bool {
            guard kinds[operation.kind, default: 0] < limits.perKind else { return false }
            if case .own(let most)? = catalogue.type(operation.kind)?.places {
                return own[Self.key(operation), default: 0] < most
            }
            guard let node = operation.node else { return unplaced < limits.unplaced }
            return nodes[node, default: 0] < limits.perNode
        }

        private static func key(_ operation: OperationRecord) -> String {
            "\(operation.kind) \(operation.node ?? "")"
        }
    }
}

extension Catalogue {
    /// Whether the operation counts against the places that a node has for all.
    func sharesPlaces(_ operation: OperationRecord) -> Bool {
        type(operation.kind).map { $0.places == .shared } ?? true
    }
}
