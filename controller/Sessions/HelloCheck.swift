import Model
import Store
import WireProtocol

extension Store {
    private static let claims = "node.claims"

    /// Records a hello, and of its figures those that can be believed. Returns what is not.
    ///
    /// The first figures of a node that came approved are what was approved; later ones are held against them.
    func admit(_ hello: NodeHello, at time: Timestamp) throws(StoreError) -> [ClaimDoubt] {
        try admit(claims: NodeClaims(facts: hello.facts), of: hello.node, at: time) {
            store, believed throws(StoreError) in
            var hello = hello
            hello.cpuMillis = believed.cpuMillis
            hello.memoryBytes = believed.memoryBytes
            hello.diskBytes = believed.diskBytes
            try store.recordHello(hello, at: time)
        }
    }

    /// As a hello: what drivers that came later say that there is are claims as well.
    func admit(_ drivers: NodeDrivers, at time: Timestamp) throws(StoreError) -> [ClaimDoubt] {
        let claims = NodeClaims(facts: ["drivers": drivers.drivers])
        return try admit(claims: claims, of: drivers.node, at: time) { store, believed throws(StoreError) in
            var drivers = drivers
            drivers.cpuMillis = believed.cpuMillis
            drivers.memoryBytes = believed.memoryBytes
            drivers.diskBytes = believed.diskBytes
            try store.recordDrivers(drivers)
        }
    }

    private func admit(
        claims: NodeClaims, of id: String, at time: Timestamp,
        _ record: @Sendable (isolated Store, NodeClaims) throws(StoreError) -> Void
    ) throws(StoreError) -> [ClaimDoubt] {
        try atomically { store throws(StoreError) in
            guard let node = try store.node(id) else { throw .notFound(kind: "node", id: id) }
            let (believed, doubts) = claims.judged(against: node.approvedClaims)
            try record(store, believed)
            if node.approvedAt != nil, node.approvedClaims == nil, believed.memoryBytes > 0 {
                try store.updateNode(node.id) { $0.approvedClaims = believed }
            }
            if doubts.isEmpty {
                try store.resolve(Self.claims, subject: "node/\(node.id)", by: "sessions", at: time)
            } else {
                // Who comes back with the same again is not told of again.
                guard try store.tell(doubts, of: node, at: time) else { return [] }
            }
            return doubts
        }
    }

    /// False when it was known already.
    private func tell(_ doubts: [ClaimDoubt], of node: NodeRecord, at time: Timestamp) throws(StoreError) -> Bool {
        let told = doubts.prefix(16)
        return try raise(
            Finding(
                Self.claims, subject: "node/\(node.id)", .warning, node: node.id,
                summary: "Node \(node.name) claims to have what is not believed: \(told[0]).",
                remedy: "Look at the machine; innctl node approve \(node.name) takes over what it has now.",
                data: ["doubts": .array(told.map { .string("\($0)") })]),
            at: time)
    }
}
