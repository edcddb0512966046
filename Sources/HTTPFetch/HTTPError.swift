/// Why there is no (whole) response. A response with a failure status is not an error here. Neither header fields nor
/// the query of the URL appear in it.
package struct HTTPError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// The request itself is malformed; nothing was sent.
        case invalidRequest
        /// The name could not be resolved.
        case unresolved
        /// No connection: refused, no route, no such socket, not permitted.
        case unreachable
        /// The host's addresses are not those that the request may go to; nothing was sent.
        case forbidden
        /// The TLS handshake failed for another reason than trust.
        case handshake
        /// The server's certificate is not vouched for, not valid now, or for another name.
        case untrusted
        /// One of the request's limits ran out.
        case timedOut(Limit)
        /// The peer closed or reset the connection before the response was whole.
        case disconnected
        /// What the peer sent is not HTTP that can be understood.
        case malformedResponse
        /// Header fields or body beyond the limit.
        case responseTooLarge
        /// The body of the request could not be read to its end.
        case body
        /// The task was cancelled or the client was closed.
        case cancelled
    }

    package enum Limit: String, Sendable, Hashable {
        case connect, head, idle, total
    }

    package var kind: Kind
    /// `GET http://host/path`, without the query.
    package var subject: String
    package var cause: String

    /// Whether the same request may go through later without anybody changing anything.
    package var isRetryable: Bool {
        switch kind {
        case .unresolved, .unreachable, .handshake, .timedOut, .disconnected: true
        case .invalidRequest, .forbidden, .untrusted, .malformedResponse, .responseTooLarge, .body, .cancelled: false
        }
    }

    /// Whether the peer may have received the request and acted on it.
    package var mayHaveArrived: Bool {
        switch kind {
        case .invalidRequest, .unresolved, .unreachable, .forbidden, .handshake, .untrusted, .timedOut(.connect): false
        case .timedOut, .disconnected, .malformedResponse, .responseTooLarge, .body, .cancelled: true
        }
    }

    package var description: String { "\(subject): \(cause)" }
}
