import APIModels
import ControllerCore
import HTTP
import Model
import WireProtocol

/// Errors as this API tells them: `{"error": "…", "field": "…"}` with 400, 401, 404, 405, 409, 429 or 502.
enum CompatibleErrors {
    static let shape = ErrorShape(
        { error in
            guard case CoreError.invalid(let field, let problem) = error else { return Problem(core: error) }
            let own = name(of: field)
            return Problem(.invalidField, "\(own) \(problem)", field: own)
        },
        body: { problem in
            var body: JSONObject = ["error": .string(problem.detail)]
            body["field"] = problem.field.map { .string($0) }
            return (JSONValue.object(body).encoded, "application/json")
        }, status: status)

    /// Who wrote against this API knows these alone.
    @Sendable private static func status(_ problem: Problem) -> Int {
        switch problem.status {
        case 400, 401, 404, 405, 409, 429: problem.status
        // A key that opens something else opens nothing here.
        case 403: 401
        case 400..<500: 400
        default: problem.kind == .tooMany ? 429 : 502
        }
    }

    /// What this API calls what the core calls a field.
    static func name(of field: String) -> String {
        switch field {
        case "external_id", "service": "service_id"
        case "customer", "overrides.email": "email"
        default:
            if field.hasPrefix("overrides.addresses") {
                "public_ip"
            } else {
                ["overrides.", "parameters."].first { field.hasPrefix($0) }.map { String(field.dropFirst($0.count)) }
                    ?? field
            }
        }
    }
}

extension Problem {
    /// Why the work that was asked for has not led to what was asked for.
    /// - Parameter isOwnFault: whether the reason can lie in what was asked for.
    init(_ operation: APIModels.Operation, isOwnFault: Bool = true) {
        let error = operation.error
        let reason = error?.message ?? "it was called off"
        let detail = "\(operation.kind) did not succeed: \(reason) (operation \(operation.id))"
        let kind: Kind? =
            switch error?.code {
            case _ where !isOwnFault: nil
            case "invalid": .invalidField
            case "not_found": .notFound
            case "conflict", "quota", "in_use", "no_backups", "not_allowed_in_state", "domains_in_use", "not_placed":
                .conflict
            default: nil
            }
        if let kind {
            self.init(kind, detail)
        } else {
            self.init(.unavailable, detail, retryable: error?.retryable ?? false)
        }
    }
}
