import Model
import Store
import WireProtocol

extension Store {
    /// Records a hello, and of its figures those that can be believed. Returns what is not.
    ///
    /// The first figures of a node that came approved are what was approved; later ones are held against them.
    func admit(_ hello: NodeHello, at time: Timestamp) throws(StoreError) -> [ClaimDoubt] {
        try atomically { store throws(StoreError) in
            guard let node = try store.node(hello.node) else { throw .notFound(kind: "node", id: hello.node) }
            let (believed, doubts) = NodeClaims(facts: hello.facts).judged(against: node.approvedClaims)
            var hello = hello
            hello.cpuMillis = believed.cpuMillis
            hello.memoryBytes = believed.memoryBytes
            hello.diskBytes = believed.diskBytes
            try store.recordHello(hello, at: time)
            if node.approvedAt != nil, node.approvedClaims == nil, believed.memoryBytes > 0 {
                try store.updateNode(node.id) { $0.approvedClaims = believed }
            }
            if !doubts.isEmpty { try store.tell(doubts, of: node, at: time) }
            return doubts
        }
    }

    /// One finding for each set of figures, however often the node says the same again.
    private func tell(_ doubts: [ClaimDoubt], of node: NodeRecord, at time: Timestamp) throws(StoreError) {
        let told = doubts.prefix(16)
        let mark = told.map { "\($0.figure)=\($0.claimed)" }.joined(separator: ",")
        try recordFinding(
            EventRecord(
                id: "ev_claims.\(node.id).\(mark)", node: node.id, seq: 0, time: time, driver: "controller",
                resource: nil, kind: "node.claims",
                data: ["doubts": .array(told.map { .string("\($0)") })]))
    }
}
