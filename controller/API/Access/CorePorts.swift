import ControllerCore
import HTTP
import Model
import WireProtocol

extension KeptAnswers {
    /// Where the core keeps them.
    init(in operations: Operations) {
        let requests = RepeatedRequests(operations)
        self.init(
            begin: { use in
                switch try await requests.begin(use.key, of: use.caller, digest: use.digest, at: use.time) {
                case .fresh: .fresh
                case .taken: .taken
                case .mismatch: .mismatch
                case .answered(let status, let text): .answered(status: status, text: text)
                }
            },
            finish: { use, status, text in
                try await requests.finish(use.key, of: use.caller, status: status, text: text)
            },
            drop: { use in try await requests.drop(use.key, of: use.caller) })
    }
}

extension Refusals {
    func note(_ call: DeniedCall) async {
        await note(
            actor: call.actor, subject: call.path,
            detail: [
                "method": .string(call.method), "status": .integer(Int64(call.status)),
                "reason": .string(call.reason),
            ], remote: call.remote, at: call.time)
    }
}
