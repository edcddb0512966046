import Model
import TestSupport
import Testing
import WireProtocol

@testable import Store

/// A store in a folder of its own, with times that the test chooses.
struct StoreFixture {
    let folder: ScratchFolder
    let store: Store
    private let engine = StoreEngine.current
    let start = Timestamp(milliseconds: 1_800_000_000_000)

    init(_ options: StoreOptions = StoreOptions(groupCommit: .milliseconds(1))) throws {
        folder = try ScratchFolder("store")
        store = try engine.open(folder, options)
    }

    /// Of the store's file, where the engine has one.
    var path: String { store.path }

    /// The store once more, after it was closed.
    func reopened(_ options: StoreOptions = StoreOptions(groupCommit: .milliseconds(1))) throws -> Store {
        try engine.open(folder, options)
    }

    func at(_ seconds: Int64) -> Timestamp { start + .seconds(seconds) }

    @discardableResult
    func node(_ id: String = "n1") async throws -> NodeRecord {
        let node = NodeRecord(id: id, name: "\(id).example", labels: ["rack": "a"], enrolledAt: start)
        try await store.insertNode(node)
        return node
    }

    @discardableResult
    func service(_ id: String = "s1", node: String? = nil) async throws -> ServiceRecord {
        let service = ServiceRecord(
            id: id, externalID: "ext-\(id)", customer: "c1", plan: "small", spec: ["memory_bytes": 1024], node: node,
            createdAt: start, updatedAt: start)
        try await store.insertService(service)
        return service
    }

    @discardableResult
    func operation(_ id: String = "op1", service: String? = "s1") async throws -> OperationRecord {
        try await store.insertOperation(
            OperationRecord(id: id, kind: "provision", service: service, parameters: ["a": 1], createdAt: start))
    }
}

/// The error that `body` throws.
func failure(
    of body: () async throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
) async -> StoreError? {
    do {
        try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        return nil
    } catch {
        return error as? StoreError
    }
}

extension Store {
    /// What the largest transaction has done since `forgetPeakEffort`.
    var peakEffort: Effort { database.effort.peak }

    func forgetPeakEffort() { database.forgetPeakEffort() }
}
