package import APIModels
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
package import WireProtocol

/// Takes the body of a request in: its type, its size, its time, its fields.
package enum StrictBody {
    /// No body of this API comes near it.
    static let limit = 256 * 1024
    /// The type of a merge patch (RFC 7396).
    package static let mergePatch = "application/merge-patch+json"
    private static let limits = JSONLimits(bytes: limit, values: 20_000)

    /// The bytes of the body. They must arrive within `deadline`, whatever the pace.
    /// - Parameter isPatch: then a merge patch may be one by its type, too.
    static func bytes(of request: Request, deadline: Duration, isPatch: Bool) async throws -> [UInt8] {
        let length = request.headers[.contentLength].flatMap(Int.init)
        if let length, length > limit { throw tooLarge }
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw Problem(
                .mediaType, "the body must come as it is, not as \(coding.prefix(60))", field: "Content-Encoding")
        }
        let body = request.body
        let buffer = try await withThrowingTaskGroup { group in
            group.addTask {
                do { return try await body.collect(upTo: limit) } catch is NIOTooManyBytesError {
                    throw tooLarge
                } catch is HTTPParserError {
                    throw BrokenBody()
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    // Whatever happens to the connection here, its other end has done.
                    throw DepartedCaller()
                }
            }
            group.addTask {
                try await Task.sleep(for: deadline)
                throw Problem(.timeout, "the body did not arrive within \(deadline)")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? ByteBuffer()
        }
        let bytes = Array(buffer.readableBytesView)
        if let length, bytes.count < length { throw DepartedCaller() }
        if !bytes.isEmpty { try checkType(request.headers[.contentType], isPatch: isPatch) }
        return bytes
    }

    /// The model in `bytes`; its free texts show as what they are.
    static func model<Body: Decodable>(_ type: Body.Type, from bytes: [UInt8]) throws(Problem) -> Body {
        guard !bytes.isEmpty else { throw Problem(.badRequest, "the request has no body; it must be a JSON object") }
        let json: JSONValue
        do { json = try JSONParser.parse(bytes, limits: limits) } catch {
            throw Problem(.badRequest, "the body is not JSON: \(error)")
        }
        let model: Body
        do { model = try BodyDecoder.model(type, from: json, unknownFields: .refused) } catch {
            throw Problem(.invalidField, error.description, field: error.field.isEmpty ? nil : error.field)
        }
        try (type as? any CheckedBody.Type)?.check(json)
        return model
    }

    private static var tooLarge: Problem { Problem(.tooLarge, "the body is larger than \(limit) bytes") }

    private static func checkType(_ type: String?, isPatch: Bool) throws(Problem) {
        let parts = (type ?? "").lowercased().split(separator: ";").map { $0.filter { $0 != " " } }
        guard let name = parts.first, name == "application/json" || (isPatch && name == mergePatch),
            parts.dropFirst().allSatisfy({
                !$0.hasPrefix("charset=") || $0.hasSuffix("=utf-8") || $0.hasSuffix("\"utf-8\"")
            })
        else {
            throw Problem(
                .mediaType, "Content-Type must be application/json in UTF-8, not \"\((type ?? "").prefix(60))\"",
                field: "Content-Type")
        }
    }
}

/// A body with rules beyond its types.
package protocol CheckedBody {
    /// Refuses a body whose fields are of the right types, and wrong; the problem names the field.
    static func check(_ body: JSONValue) throws(Problem)
}

/// The framing of the body is wrong: where the next request begins nobody can tell.
struct BrokenBody: Error {}

/// The connection ended before the body did. Nobody is there to answer.
struct DepartedCaller: Error {}
