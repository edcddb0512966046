import APIModels
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import WireProtocol

/// Takes the body of a request in: its type, its size, its time, its fields.
enum StrictBody {
    /// No body of this API comes near it.
    static let limit = 256 * 1024
    private static let limits = JSONLimits(bytes: limit, values: 20_000)

    /// The bytes of the body. They must arrive within `deadline`, whatever the pace.
    static func bytes(of request: Request, deadline: Duration) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap(Int.init), length > limit { throw tooLarge }
        let body = request.body
        let buffer = try await withThrowingTaskGroup { group in
            group.addTask {
                do { return try await body.collect(upTo: limit) } catch is NIOTooManyBytesError {
                    throw tooLarge
                } catch is HTTPParserError { throw BrokenBody() }
            }
            group.addTask {
                try await Task.sleep(for: deadline)
                throw Problem(.timeout, "the body did not arrive within \(deadline)")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? ByteBuffer()
        }
        let bytes = Array(buffer.readableBytesView)
        if !bytes.isEmpty { try checkType(request.headers[.contentType]) }
        return bytes
    }

    /// The model in `bytes`.
    static func model<Body: Decodable>(_ type: Body.Type, from bytes: [UInt8]) throws(Problem) -> Body {
        guard !bytes.isEmpty else { throw Problem(.badRequest, "the request has no body; it must be a JSON object") }
        let json: JSONValue
        do { json = try JSONParser.parse(bytes, limits: limits) } catch {
            throw Problem(.badRequest, "the body is not JSON: \(error)")
        }
        do { return try BodyDecoder.model(type, from: json, unknownFields: .refused) } catch {
            throw Problem(.invalidField, error.description, field: error.field.isEmpty ? nil : error.field)
        }
    }

    private static var tooLarge: Problem { Problem(.tooLarge, "the body is larger than \(limit) bytes") }

    private static func checkType(_ type: String?) throws(Problem) {
        let name = type?.split(separator: ";").first.map { $0.lowercased() }?.filter { $0 != " " }
        guard name == "application/json" else {
            throw Problem(.mediaType, "Content-Type must be application/json, not \"\((type ?? "").prefix(60))\"")
        }
    }
}

/// The framing of the body is wrong: where the next request begins nobody can tell.
struct BrokenBody: Error {}
