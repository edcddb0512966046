import ControllerCore
import HTTP
import Model
import Store
import WireProtocol

extension KeptAnswers {
    /// In the store, for as long as a requester may come back.
    init(in store: Store) {
        self.init(
            begin: { use in
                let record = IdempotencyRecord(
                    key: use.key, scope: use.caller, digest: use.digest, status: 0, body: "", createdAt: use.time,
                    expiresAt: use.time + Requester.keyLifetime)
                switch try await store.beginIdempotent(record) {
                case .fresh: return .fresh
                case .inProgress: return .taken
                case .mismatch: return .mismatch
                case .answered(let record): return .answered(status: record.status, text: record.body)
                }
            },
            finish: { use, status, text in
                try await store.finishIdempotent(scope: use.caller, key: use.key, status: status, body: text)
            },
            drop: { use in try await store.dropIdempotent(scope: use.caller, key: use.key) })
    }
}

extension AuditRecord {
    init(_ call: DeniedCall) {
        self.init(
            id: Identifier.make("aud"), time: call.time, actor: call.actor, action: "call.denied", subject: call.path,
            detail: [
                "method": .string(call.method), "status": .integer(Int64(call.status)),
                "reason": .string(call.reason),
            ], remote: call.remote)
    }
}
