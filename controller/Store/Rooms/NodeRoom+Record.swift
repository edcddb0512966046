import Model
import SQL
import WireProtocol

extension NodeRoom: Record {
    static let table = "rooms"
    static let key = ["node"]
    static let columns = [
        "node", "name", "labels", "schedulable", "draining", "revoked", "approved", "cpu_millis", "memory_bytes",
        "body",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        node = try row.text()
        name = try row.text()
        labels = try row.labels()
        schedulable = try row.bool()
        isDraining = try row.bool()
        isRevoked = try row.bool()
        isApproved = try row.bool()
        cpuMillis = try row.integer()
        memoryBytes = try row.integer()
        let body = try row.object()
        drivers = body["drivers"]?.asArray?.compactMap(\.asString) ?? []
        storages = (body["storages"]?.asArray ?? []).compactMap { StorageRoom(column: $0) }
        templates = body["templates"]?.asArray?.compactMap(\.asString)
        interfaces = body["interfaces"]?.asArray?.compactMap(\.asString)
        cluster = body["cluster"]?.asString
    }

    var values: [any SQLBindable] {
        [
            node, name, labels.columnText, schedulable, isDraining, isRevoked, isApproved, cpuMillis, memoryBytes,
            body,
        ]
    }

    private var body: JSONObject {
        var body: JSONObject = [
            "drivers": .array(drivers.map { .string($0) }), "storages": .array(storages.map(\.column)),
        ]
        body["templates"] = templates.map { .array($0.map { .string($0) }) }
        body["interfaces"] = interfaces.map { .array($0.map { .string($0) }) }
        body["cluster"] = cluster.map { .string($0) }
        return body
    }
}

extension StorageRoom {
    /// A list, since there are as many as nodes: kind, name, size, free, taken, contents, fault, and whether it is shared.
    fileprivate var column: JSONValue {
        [
            .string(kind.rawValue), .string(name), .integer(sizeBytes), .integer(freeBytes), .integer(takenBytes),
            .array(contents.map { .string($0) }), fault.map { .string($0) } ?? .null, .bool(isShared),
        ]
    }

    fileprivate init?(column: JSONValue) {
        guard let parts = column.asArray, parts.count >= 7, let kind = parts[0].asString.flatMap(Kind.init),
            let name = parts[1].asString, let size = parts[2].asInteger, let free = parts[3].asInteger,
            let taken = parts[4].asInteger
        else { return nil }
        self.init(
            kind: kind, name: name, contents: parts[5].asArray?.compactMap(\.asString) ?? [], sizeBytes: size,
            freeBytes: free, takenBytes: taken, fault: parts[6].asString)
        isShared = parts.count > 7 && parts[7] == true
    }
}

extension Store {
    /// Writes what placement knows of a node, in the transaction that changes it.
    func writeRoom(_ node: NodeRecord, before: NodeRecord? = nil) throws(StoreError) {
        let room = NodeRoom(node)
        guard before.map({ NodeRoom($0) != room }) ?? true else { return }
        try upsert(room)
    }

    /// What is known of every node, by id: one question, however large the fleet.
    package func rooms() throws(StoreError) -> [NodeRoom] { try select(NodeRoom.self, "ORDER BY node") }

    package func room(of node: String) throws(StoreError) -> NodeRoom? {
        try first(NodeRoom.self, "WHERE node = ?", [node])
    }
}

extension NodeRoom {
    /// A store of a version before knows its nodes and has no rows of their room.
    static func fillMissing(_ database: Database) throws(StoreError) {
        let missing = "WHERE NOT EXISTS (SELECT 1 FROM rooms WHERE rooms.node = nodes.id)"
        try database.transaction { () throws(StoreError) in
            for node in try database.select(NodeRecord.self, missing) { try database.upsert(NodeRoom(node)) }
        }
    }
}
