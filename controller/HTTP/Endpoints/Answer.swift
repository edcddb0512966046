import APIModels
import HTTPTypes
package import Hummingbird
import NIOCore

/// What an endpoint answers with, before it becomes an HTTP response.
package enum Answer: Sendable {
    /// A status, a JSON body, and where the thing is to be found.
    /// - Parameter tag: of the state that a change has led to; reads get theirs from the bytes.
    case json([UInt8], status: Int, location: String?, tag: EntityTag? = nil)
    /// 204.
    case nothing
    /// Anything else: an event stream, text.
    case raw(Response)

    /// Text that is not JSON.
    package static func text(_ text: String, _ mediaType: String) -> Answer {
        .raw(Response(status: .ok, headers: [.contentType: mediaType], body: .init(Array(text.utf8))))
    }

    /// A model as JSON.
    package static func model<Body: Encodable>(
        _ body: Body, status: Int = 200, location: String? = nil
    ) throws -> Answer {
        .json(try BodyEncoder.bytes(body), status: status, location: location)
    }

    /// With the tag of its own bytes: of what was replaced as a whole.
    package var tagged: Answer {
        guard case .json(let bytes, _, _, _) = self else { return self }
        return tagged(EntityTag(of: bytes))
    }

    package func tagged(_ tag: EntityTag) -> Answer {
        guard case .json(let bytes, let status, let location, _) = self else { return self }
        return .json(bytes, status: status, location: location, tag: tag)
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
