/// The last line of a link, from the side that ends it.
package struct Goodbye: WireMessage {
    package static let type = "goodbye"

    package var code: GoodbyeCode
    /// One sentence for a log.
    package var message: String
    /// Whether to dial again, after the usual back-off.
    package var retry: Bool

    package init(code: GoodbyeCode, message: String, retry: Bool) {
        self.code = code
        self.message = message
        self.retry = retry
    }

    /// What to say to a peer that sent such a line.
    package init(answering error: WireError) {
        self.init(code: .malformed, message: error.description, retry: true)
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        code = try fields.code("code")
        message = try fields.string("message")
        retry = try fields.bool("retry")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("code", code)
        fields.put("message", message)
        fields.put("retry", retry)
    }
}

/// Why a link ends.
package enum GoodbyeCode: OpenCode {
    /// The peer sent a line that is not a message.
    case malformed
    /// No common version, or a message out of turn.
    case `protocol`
    /// The same node is connected already.
    case duplicate
    /// The node's certificate or its token is revoked.
    case revoked
    /// Not let in: an unknown node, a wrong or spent token.
    case refused
    /// The process ends in an orderly way.
    case shutdown
    /// The peer was silent for too long.
    case timeout
    /// Too many links, or a peer that does not read.
    case overload
    case unknown(String)

    package static let known: [GoodbyeCode] = [
        .malformed, .protocol, .duplicate, .revoked, .refused, .shutdown, .timeout, .overload,
    ]

    package var code: String {
        switch self {
        case .malformed: "malformed"
        case .protocol: "protocol"
        case .duplicate: "duplicate"
        case .revoked: "revoked"
        case .refused: "refused"
        case .shutdown: "shutdown"
        case .timeout: "timeout"
        case .overload: "overload"
        case .unknown(let code): code
        }
    }
}
