package import APIModels
import Store

extension Queries {
    /// The service's backups, the oldest first.
    package func backups(of service: String) async throws(CoreError) -> Listing<BackupView> {
        let id = try await self.service(service).id
        let backups = try await read { store throws(StoreError) in try store.backups(service: id) }
        return try await told(Listing(items: backups.map { BackupView($0) }))
    }

    package func backup(_ id: String) async throws(CoreError) -> BackupView {
        let viewer = viewer
        let found = try await read { store throws(StoreError) -> BackupRecord? in
            guard let record = try store.backup(id), try store.isSeen(service: record.service, by: viewer) else {
                return nil
            }
            return record
        }
        guard let found else { throw .notFound(kind: "backup", id: id) }
        return try await told(BackupView(found))
    }
}

extension BackupView {
    init(_ record: BackupRecord) {
        self.init(
            id: record.id, service: record.service, state: record.state.rawValue, cause: record.cause.rawValue,
            madeAt: record.madeAt, sizeBytes: record.sizeBytes, verifiedAt: record.verifiedAt, node: record.node,
            name: record.name)
    }
}

extension BackupView: OnNodes, ForCustomers {
    var nodeIDs: [String] { [node].compactMap(\.self) }
    mutating func name(_ names: [String: String]) { nodeName = node.flatMap { names[$0] } }

    /// Storages and nodes are the fleet's.
    mutating func reduce(for actor: String) { (node, nodeName, name) = (nil, nil, nil) }
}
