import APIModels
import HTTPTypes
import Hummingbird
import NIOCore

/// What an endpoint answers with, before it becomes an HTTP response.
enum Answer: Sendable {
    /// A status, a JSON body, and where the thing is to be found.
    case json([UInt8], status: Int, location: String?)
    /// 204.
    case nothing
    /// Anything else: an event stream, text.
    case raw(Response)

    /// A model as JSON.
    static func model<Body: Encodable>(
        _ body: Body, status: Int = 200, location: String? = nil
    ) throws -> Answer {
        .json(try BodyEncoder.bytes(body), status: status, location: location)
    }

    /// 202 with the operation and where to follow it.
    static func accepted(_ accepted: AcceptedOrder) throws -> Answer {
        try model(accepted, status: 202, location: "/api/v1/operations/\(accepted.operation.id)")
    }

    var response: Response {
        switch self {
        case .json(let bytes, let status, let location):
            var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
            headers[.location] = location
            return Response(status: .init(code: status), headers: headers, body: .init(bytes))
        case .nothing: return Response(status: .noContent, headers: [.cacheControl: "no-store"])
        case .raw(let response): return response
        }
    }
}

extension ResponseBody {
    init(_ bytes: [UInt8]) { self.init(byteBuffer: ByteBuffer(bytes: bytes)) }
}

extension Problem {
    /// The problem as a response. What broke the framing of the connection also ends it.
    func response(closing channel: (any Channel)? = nil, always: Bool = false) -> Response {
        var headers: HTTPFields = [.contentType: Problem.mediaType, .cacheControl: "no-store"]
        if status == 401 { headers[.wwwAuthenticate] = "Bearer realm=\"innkeeper\"" }
        if retryable { headers[.retryAfter] = "1" }
        let bytes = (try? BodyEncoder.bytes(self)) ?? []
        var response = Response(status: .init(code: status), headers: headers, body: .init(bytes))
        if let channel, always || kind == .timeout || kind == .tooLarge {
            response.headers[.connection] = "close"
            response.body = ResponseBody(contentLength: bytes.count) { writer in
                try await writer.write(ByteBuffer(bytes: bytes))
                try await writer.finish(nil)
                // The rest of the request is not worth waiting for.
                channel.close(promise: nil)
            }
        }
        return response
    }
}
