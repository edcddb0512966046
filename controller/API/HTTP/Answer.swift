import APIModels
import HTTPTypes
import Hummingbird
import NIOCore

/// What an endpoint answers with, before it becomes an HTTP response.
enum Answer: Sendable {
    /// A status, a JSON body, and where the thing is to be found.
    /// - Parameter tag: of the state that a change has led to; reads get theirs from the bytes.
    case json([UInt8], status: Int, location: String?, tag: EntityTag? = nil)
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

    /// With the tag of its own bytes: of what was replaced as a whole.
    var tagged: Answer {
        guard case .json(let bytes, _, _, _) = self else { return self }
        return tagged(EntityTag(of: bytes))
    }

    func tagged(_ tag: EntityTag) -> Answer {
        guard case .json(let bytes, let status, let location, _) = self else { return self }
        return .json(bytes, status: status, location: location, tag: tag)
    }

    /// 202 with the operation and where to follow it.
    static func accepted(_ accepted: AcceptedOrder) throws -> Answer {
        try model(accepted, status: 202, location: "/api/v1/operations/\(accepted.operation.id)")
    }

    var response: Response {
        switch self {
        case .json(let bytes, let status, let location, let tag):
            var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
            headers[.location] = location
            headers[.eTag] = tag?.description
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
    /// The problem as a response. What broke the framing of a connection of HTTP/1.1 also ends it.
    func response(closing channel: (any Channel)? = nil, always: Bool = false) -> Response {
        var headers: HTTPFields = [.contentType: Problem.mediaType, .cacheControl: "no-store"]
        if status == 401 { headers[.wwwAuthenticate] = "Bearer realm=\"innkeeper\"" }
        if kind == .mediaType { headers[.acceptEncoding] = "identity" }
        if retryable { headers[.retryAfter] = String(retryAfterSeconds ?? 1) }
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
