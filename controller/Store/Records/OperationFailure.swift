package import SQL
package import WireProtocol

/// Why an operation failed, in one sentence, and whether trying again can help.
package struct OperationFailure: Sendable, Hashable {
    package var code: String
    package var message: String
    package var retryable: Bool
    package var resource: String?

    package init(code: String, message: String, retryable: Bool, resource: String? = nil) {
        // An agent may have said it.
        self.code = code.capped(to: 128)
        self.message = message.capped(to: 4096)
        self.retryable = retryable
        self.resource = resource?.capped(to: 512)
    }

    package var json: JSONObject {
        var object: JSONObject = ["code": .string(code), "message": .string(message), "retryable": .bool(retryable)]
        if let resource { object["resource"] = .string(resource) }
        return object
    }

    package init(_ object: JSONObject) throws(FieldError) {
        code = try object.string("code")
        message = try object.string("message")
        retryable = try object.bool("retryable")
        resource = try object.optionalString("resource")
    }
}

extension OperationFailure: SQLBindable {
    package var sqlValue: SQLValue { json.sqlValue }
}

extension SQLRow {
    mutating func optionalFailure() throws(SQLError) -> OperationFailure? {
        guard let object = try optionalObject() else { return nil }
        do throws(FieldError) { return try OperationFailure(object) } catch { throw .unreadable("\(error)") }
    }
}
