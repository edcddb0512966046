package import APIModels
import HTTPTypes
import Hummingbird
import Logging
import Model
import NIOCore

/// How a list of endpoints tells what went wrong.
package struct ErrorShape: Sendable {
    private let reading: @Sendable (any Error) -> Problem?
    private let body: @Sendable (Problem) -> (bytes: [UInt8], mediaType: String)
    private let status: @Sendable (Problem) -> Int

    /// - Parameters:
    ///   - reading: the problem that an error of the endpoints amounts to; nil where the caller can do nothing about it, and the log has the cause.
    ///   - body: a problem as these endpoints show it.
    ///   - status: the one that it goes out with, where these endpoints know fewer.
    package init(
        _ reading: @escaping @Sendable (any Error) -> Problem?,
        body: @escaping @Sendable (Problem) -> (bytes: [UInt8], mediaType: String) = Self.details,
        status: @escaping @Sendable (Problem) -> Int = { $0.status }
    ) {
        self.reading = reading
        self.body = body
        self.status = status
    }

    /// Problem details (RFC 9457).
    package static let details: @Sendable (Problem) -> (bytes: [UInt8], mediaType: String) = { problem in
        ((try? BodyEncoder.bytes(problem)) ?? [], Problem.mediaType)
    }

    /// The problem that an error of any kind amounts to. What is not the caller's fault is logged with an id that the
    /// caller gets too; its cause stays in the log.
    func problem(_ error: any Error, _ logger: Logger) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as GrammarError: Problem(.invalidField, error.description, field: error.field)
        case let error as HTTPError: Problem(error) ?? Self.unexpected(error, logger)
        case is BrokenBody: Problem(.badRequest, "the body of the request is not framed as HTTP has it")
        case is DepartedCaller: Problem(.badRequest, "the connection ended before the body did")
        case is CancellationError: Problem(.unavailable, "the controller is stopping")
        default: reading(error) ?? Self.unexpected(error, logger)
        }
    }

    /// The problem as a response. What broke the framing of a connection of HTTP/1.1 also ends it.
    func response(_ problem: Problem, closing channel: (any Channel)? = nil, always: Bool = false) -> Response {
        let ((bytes, mediaType), status) = (body(problem), status(problem))
        var headers: HTTPFields = [.contentType: mediaType, .cacheControl: "no-store"]
        if status == 401 { headers[.wwwAuthenticate] = "Bearer realm=\"innkeeper\"" }
        if problem.kind == .mediaType { headers[.acceptEncoding] = "identity" }
        if problem.retryable { headers[.retryAfter] = String(problem.retryAfterSeconds ?? 1) }
        var response = Response(status: .init(code: status), headers: headers, body: .init(bytes))
        guard let channel, always || problem.kind == .timeout || problem.kind == .tooLarge else { return response }
        response.headers[.connection] = "close"
        response.body = ResponseBody(contentLength: bytes.count) { writer in
            try await writer.write(ByteBuffer(bytes: bytes))
            try await writer.finish(nil)
            // The rest of the request is not worth waiting for.
            channel.close(promise: nil)
        }
        return response
    }

    private static func unexpected(_ error: any Error, _ logger: Logger) -> Problem {
        let id = Identifier.make("err")
        logger.error("a request failed", metadata: ["error.id": .string(id), "error": "\(error)"])
        return Problem(.internalError, "the controller failed; error \(id) in its log says why", errorID: id)
    }
}

extension Problem {
    fileprivate init?(_ error: HTTPError) {
        switch error.status {
        case .notFound: self.init(.notFound, "there is nothing at this path")
        case .contentTooLarge: self.init(.tooLarge, "the request is too large")
        case .badRequest: self.init(.badRequest, error.body ?? "the request cannot be understood")
        default: return nil
        }
    }
}
