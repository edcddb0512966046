package import HTTPFetch
import Synchronization
import WireProtocol

/// The Docker Engine API behind its UNIX socket. The API version is settled with the engine on first use, and again after
/// the engine was away, because it may have been upgraded.
package final class Engine: Sendable {
    package let socket: String
    private let client: HTTPClient
    private let agreed = Mutex<APIVersion?>(nil)
    private let product = Mutex("unknown")

    static let isPodman = EngineError.unsupported(
        "what answers is Podman, which is not supported: docker_socket must be the socket of a Docker engine")

    package init(socket: String, client: HTTPClient = HTTPClient()) {
        self.socket = socket
        self.client = client
    }

    /// The engine's own version as last heard, `20.10.24`.
    package var version: String { product.withLock { $0 } }

    /// Asks the engine which versions it speaks and chooses the newest that both do.
    @discardableResult
    package func negotiate() async throws(EngineError) -> APIVersion {
        let answer = try await exchange(request("GET", "/version", timeout: .seconds(5)))
        guard let body = answer.asObject, let newest = APIVersion(body["ApiVersion"]?.asString) else {
            throw .malformed("the answer to /version names no API version")
        }
        // It takes Docker's calls and keeps them otherwise: what was made could not be recognised again.
        if (body["Components"]?.asArray ?? []).contains(where: { $0["Name"]?.asString == "Podman Engine" }) {
            throw Self.isPodman
        }
        let oldest = APIVersion(body["MinAPIVersion"]?.asString) ?? APIVersion.oldest
        let version = min(newest, .newest)
        guard version >= .oldest, version >= oldest else {
            throw .unsupported(
                "the engine speaks API \(oldest) to \(newest), not \(APIVersion.oldest) to \(APIVersion.newest)")
        }
        if let name = body["Version"]?.asString { product.withLock { $0 = name } }
        agreed.withLock { $0 = version }
        return version
    }

    /// One call with a JSON answer; `.null` where the answer has no body.
    func call(
        _ method: String, _ path: String, query: [(String, String)] = [], body: JSONObject? = nil,
        timeout: Duration = .seconds(30)
    ) async throws(EngineError) -> JSONValue {
        var request = try await versioned(method, path, query, timeout: timeout)
        request.carry(body)
        return try await exchange(request)
    }

    /// One call whose answer is read as it comes. The answer's head must be there within the limit; after that it may
    /// last for ever unless `idle` bounds its silence.
    func stream(
        _ method: String, _ path: String, query: [(String, String)] = [], headers: [(String, String)] = [],
        body: HTTPBody? = nil, head: Duration? = .seconds(30), idle: Duration? = nil
    ) async throws(EngineError) -> HTTPStream {
        var request = try await versioned(method, path, query, timeout: nil)
        request.headTimeout = head
        request.idleTimeout = idle
        for (name, value) in headers { request.headers.append(name, value) }
        request.body = body
        let stream: HTTPStream
        do { stream = try await client.stream(request) } catch { throw forgetting(error) }
        guard stream.status >= 400 else { return stream }
        throw try await refusal(stream)
    }

    private func versioned(
        _ method: String, _ path: String, _ query: [(String, String)], timeout: Duration?
    ) async throws(EngineError) -> HTTPRequest {
        request(method, "/v\(try await negotiated())\(path)", query, timeout: timeout)
    }

    /// The version that was agreed on, or is now.
    func negotiated() async throws(EngineError) -> APIVersion {
        if let version = agreed.withLock({ $0 }) { return version }
        return try await negotiate()
    }

    private func request(
        _ method: String, _ path: String, _ query: [(String, String)] = [], timeout: Duration?
    ) -> HTTPRequest {
        let pairs = query.map { "\($0.percentEncoded)=\($1.percentEncoded)" }
        let suffix = pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
        var request = HTTPRequest(method, "http://engine\(path)\(suffix)", unixSocket: socket)
        request.timeout = timeout
        request.maximumResponseBytes = JSONLimits.local.bytes
        return request
    }

    private func exchange(_ request: HTTPRequest) async throws(EngineError) -> JSONValue {
        let response: HTTPResponse
        do { response = try await client.send(request) } catch { throw forgetting(error) }
        guard response.status < 400 else {
            throw .refused(status: response.status, message: Self.message(response.body))
        }
        guard response.status != 304 else { throw .already }
        guard !response.body.isEmpty else { return .null }
        do { return try JSONParser.parse(response.body, limits: .local) } catch {
            throw .malformed("the engine's answer is not JSON: \(error)")
        }
    }

    private func refusal(_ stream: HTTPStream) async throws(EngineError) -> EngineError {
        var body: [UInt8] = []
        do {
            for try await chunk in stream where body.count < 64 << 10 { body += chunk }
        } catch { throw forgetting(error) }
        return .refused(status: stream.status, message: Self.message(body))
    }

    /// An engine that went away may come back as another version.
    private func forgetting(_ error: HTTPError) -> EngineError {
        if error.isRetryable { agreed.withLock { $0 = nil } }
        return .transport(error)
    }

    private static func message(_ body: [UInt8]) -> String {
        let text = (try? JSONParser.parse(body, limits: .local))?["message"]?.asString
        return (text ?? String(decoding: body.prefix(500), as: UTF8.self)).printable(limit: 500)
    }
}

/// A version of the Engine API, `1.41`.
package struct APIVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let major: Int
    package let minor: Int

    /// What Docker 20.10 spoke.
    static let oldest = APIVersion(major: 1, minor: 40)
    static let newest = APIVersion(major: 1, minor: 47)

    init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    package init?(_ text: String?) {
        let parts = (text ?? "").split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let major = parts[0], let minor = parts[1] else { return nil }
        self.init(major: major, minor: minor)
    }

    package static func < (left: APIVersion, right: APIVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    package var description: String { "\(major).\(minor)" }
}

extension HTTPRequest {
    fileprivate mutating func carry(_ object: JSONObject?) {
        guard let object else { return }
        headers.append("Content-Type", "application/json")
        body = .bytes(JSONValue.object(object).encoded)
    }
}

extension String {
    /// As a part of a query: everything but unreserved characters is escaped.
    var percentEncoded: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
            default: bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// For people and logs: control characters, which containers can put into most texts, become spaces.
    func printable(limit: Int) -> String {
        var text = String.UnicodeScalarView()
        for scalar in unicodeScalars.prefix(limit) {
            text.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
