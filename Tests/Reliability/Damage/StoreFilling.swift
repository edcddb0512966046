import Model
import Store
import WireProtocol

/// Puts something of every kind into a store.
enum StoreFilling {
    static let start = Timestamp(milliseconds: 1_790_000_000_000)

    /// The store is closed again: one file.
    static func fill(_ path: String, services: Int) async throws {
        let store = try Store(path: path)
        try await store.atomically { store throws(StoreError) in
            try store.insertNode(NodeRecord(id: "n1", name: "n1.example", labels: ["rack": "a"], enrolledAt: start))
            for number in 0..<services { try add(number, to: store) }
        }
        let names = (0..<200).map { "series.\($0)" }
        for seq in 1...20 {
            let values = names.indices.map { Optional(Double($0 * seq) / 3) }
            let row = SampleRow(seq: Int64(seq), time: start + .seconds(seq * 600), set: "aa", values: values)
            _ = try await store.take(
                Intake(node: "n1", series: [SeriesSet(set: "aa", names: names)], samples: [row]))
        }
        _ = try await store.compactMetrics(before: start + .seconds(7200))
        _ = try await store.advanceMark()
        await store.close()
    }

    private static func add(_ number: Int, to store: isolated Store) throws(StoreError) {
        let id = "svc_\(number)"
        try store.insertService(
            ServiceRecord(
                id: id, externalID: "ext-\(number)", customer: "c\(number)", plan: "small",
                spec: ["memory_bytes": .integer(Int64(number) << 20), "image": "busybox:1"], node: "n1",
                createdAt: start, updatedAt: start))
        let operation = try store.insertOperation(
            OperationRecord(id: "op_\(number)", kind: "provision", service: id, parameters: [:], createdAt: start))
        try store.appendJournal(
            operation.id, after: 0, [.string(String(repeating: "entry \(number) ", count: 40))], at: start)
        try store.appendLog(operation.id, [OperationLogLine(time: start, level: "info", text: "line \(number)")])
    }
}
