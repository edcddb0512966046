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

    /// - Parameters:
    ///   - unfinished: queued and running operations, oldest first.
    ///   - active: ids of those that have a run already.
    ///   - resting: ids of those that are to wait a little.
    func choose(_ unfinished: [OperationRecord], active: Set<String>, resting: Set<String> = []) -> [OperationRecord] {
        var load = Load()
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
        var nodes: [String: Int] = [:]
        var kinds: [String: Int] = [:]
        var unplaced = 0

        mutating func add(_ operation: OperationRecord) {
            kinds[operation.kind, default: 0] += 1
            // Somebody may sit in a shell for hours: commands take no place from the work on services.
            if operation.isDirect { return }
            if let node = operation.node { nodes[node, default: 0] += 1 } else { unplaced += 1 }
        }

        func hasRoom(for operation: OperationRecord, _ limits: ExecutorLimits) -> Bool {
            guard kinds[operation.kind, default: 0] < limits.perKind else { return false }
            if operation.isDirect { return true }
            guard let node = operation.node else { return unplaced < limits.unplaced }
            return nodes[node, default: 0] < limits.perNode
        }
    }
}
