import HTTPFetch
import TestSupport
import WireProtocol

/// What tests ask of an engine without the driver between.
extension DockerEngine {
    @discardableResult
    func call(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        var request = HTTPRequest(method, "http://engine\(path)", unixSocket: socket)
        if let body {
            request.headers["Content-Type"] = "application/json"
            request.body = .bytes(body.encoded)
        }
        let response = try await HTTPClient().send(request)
        guard response.status < 400 else { throw SetupFailure(String(decoding: response.body, as: UTF8.self)) }
        return response.body.isEmpty ? .null : try JSONParser.parse(response.body, limits: .local)
    }

    @discardableResult
    func post(_ path: String, _ body: JSONValue? = nil) async throws -> JSONValue { try await call("POST", path, body) }

    func inspect(_ name: String) async throws -> JSONValue { try await call("GET", "/containers/\(name)/json") }

    func createUnmanaged(_ name: String, image: String) async throws {
        try await post(
            "/containers/create?name=\(name)",
            ["Image": .string(image), "Cmd": ["/bin/sleep", "100000"], "HostConfig": ["NetworkMode": "none"]])
    }
}
