import DriverKit
package import HTTPFetch

/// Why the engine gave no answer that can be used.
package enum EngineError: Error, Sendable, Hashable {
    case transport(HTTPError)
    /// A failure status with the engine's message.
    case refused(status: Int, message: String)
    /// 304: it is so already.
    case already
    case malformed(String)
    case unsupported(String)

    var isMissing: Bool {
        if case .refused(404, _) = self { true } else { false }
    }

    /// Whether the engine may have done, or may still do, what it was asked.
    var mayHaveArrived: Bool {
        switch self {
        case .transport(let error): error.mayHaveArrived
        case .malformed: true
        case .refused, .already, .unsupported: false
        }
    }

    var isConflict: Bool {
        if case .refused(409, _) = self { true } else { false }
    }

    /// What an engine's refusals are called; the text decides where the status says too little.
    var driverError: DriverError {
        switch self {
        case .transport(let error): Self.translate(error)
        case .already: DriverError(.conflict, "it is so already")
        case .malformed(let problem): DriverError(.failed, problem)
        case .unsupported(let problem): DriverError(.unsupported, problem)
        case .refused(let status, let message): Self.translate(status, message)
        }
    }

    private static func translate(_ error: HTTPError) -> DriverError {
        switch error.kind {
        case .cancelled: DriverError(.cancelled, "broken off")
        case .timedOut: DriverError(.timedOut, "the engine does not answer", cause: error.cause)
        case .unreachable, .unresolved, .disconnected, .handshake, .untrusted:
            DriverError(.unavailable, "the engine cannot be reached", retryable: true, cause: error.cause)
        case .invalidRequest, .forbidden, .malformedResponse, .responseTooLarge, .body:
            DriverError(.failed, "the exchange with the engine failed", cause: error.cause)
        }
    }

    /// Parts of messages, in the order in which they are looked for, that say more than a status does.
    private static let texts: [(String, DriverErrorCode, retryable: Bool)] = [
        ("no space left on device", .outOfSpace, true),
        ("disk quota exceeded", .outOfSpace, true),
        ("toomanyrequests", .busy, true),
        ("device or resource busy", .busy, true),
        ("is already in progress", .busy, true),
        ("context deadline exceeded", .timedOut, true),
        ("i/o timeout", .timedOut, true),
        ("pull access denied", .permissionDenied, false),
        ("unauthorized", .permissionDenied, false),
        ("authentication required", .permissionDenied, false),
        ("manifest unknown", .notFound, false),
        ("no such image", .notFound, false),
        ("no such container", .notFound, false),
        ("port is already allocated", .conflict, false),
        ("address already in use", .conflict, false),
        ("is not paused", .conflict, false),
        ("is not running", .conflict, false),
        ("client version", .unsupported, false),
        ("does not support reading", .unsupported, false),
        ("invalid mount config", .invalidArgument, false),
        ("bind source path does not exist", .invalidArgument, false),
        ("invalid reference format", .invalidArgument, false),
        ("minimum memory limit", .invalidArgument, false),
        ("connection refused", .unavailable, true),
        ("no such host", .unavailable, true),
        ("transport is closing", .unavailable, true),
        ("error reading from server", .unavailable, true),
    ]

    private static func translate(_ status: Int, _ message: String) -> DriverError {
        let lower = message.lowercased()
        if let (_, code, retryable) = texts.first(where: { lower.contains($0.0) }) {
            return DriverError(code, "the engine refused", retryable: retryable, cause: message)
        }
        let code: DriverErrorCode =
            switch status {
            case 400: .invalidArgument
            case 401, 403: .permissionDenied
            case 404: .notFound
            case 409: .conflict
            case 503: .unavailable
            default: .failed
            }
        return DriverError(code, "the engine refused", cause: message)
    }
}

extension Engine {
    /// Does something with the engine; its failures become those of drivers.
    func doing<Value>(_ work: () async throws(EngineError) -> Value) async throws(DriverError) -> Value {
        do { return try await work() } catch { throw error.driverError }
    }

    /// Like `doing`, where 304 means that there was nothing to do. True when there was.
    func ensuring(_ work: () async throws(EngineError) -> Void) async throws(DriverError) -> Bool {
        do {
            try await work()
            return true
        } catch {
            if error == .already { return false }
            throw error.driverError
        }
    }
}
