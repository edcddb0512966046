package import APIModels
package import HTTPFetch
import TestSupport
package import WireProtocol

/// The controller's HTTPS API, as a billing system calls it.
package struct APIClient: Sendable {
    package let url: String
    package let key: String
    package let authority: [UInt8]
    private let client = HTTPClient()

    package init(url: String, key: String, authority: [UInt8]) {
        (self.url, self.key, self.authority) = (url, key, authority)
    }

    private func request(_ method: String, _ path: String, _ body: String?) -> HTTPRequest {
        var request = HTTPRequest(method, url + path)
        request.trust = .authorities(pem: authority)
        request.headers["Authorization"] = "Bearer \(key)"
        if let body {
            request.headers["Content-Type"] = "application/json"
            request.body = .bytes(Array(body.utf8))
        }
        return request
    }

    package func send(
        _ method: String, _ path: String, _ body: String? = nil, idempotencyKey: String? = nil
    ) async throws -> HTTPResponse {
        var request = request(method, path, body)
        if let idempotencyKey { request.headers["Idempotency-Key"] = idempotencyKey }
        return try await client.send(request)
    }

    package func get<Model: Decodable>(_ path: String, as type: Model.Type = Model.self) async throws -> Model {
        try Self.model(await send("GET", path))
    }

    package func post<Model: Decodable>(
        _ path: String, _ body: String? = nil, idempotencyKey: String? = nil, as type: Model.Type = Model.self
    ) async throws -> Model {
        try Self.model(await send("POST", path, body, idempotencyKey: idempotencyKey))
    }

    /// The refusal of a request that must not succeed.
    package func refusal(_ method: String, _ path: String, _ body: String? = nil) async throws -> Problem {
        let response = try await send(method, path, body)
        guard response.status >= 400 else { throw SetupFailure("\(method) \(path) succeeded") }
        return try BodyDecoder.model(Problem.self, from: JSONParser.parse(response.body))
    }

    /// The model in the body of an answer that is a success; throws for a refusal.
    package static func model<Model: Decodable>(_ response: HTTPResponse) throws -> Model {
        guard response.status < 300 else {
            throw SetupFailure("\(response.status): \(String(decoding: response.body.prefix(2000), as: UTF8.self))")
        }
        return try BodyDecoder.model(Model.self, from: JSONParser.parse(response.body))
    }

    /// Whether the controller takes requests.
    package func isReady() async -> Bool { (try? await send("GET", "/readyz").status) == 200 }

    /// Waits for a model to become as wished; a controller that is away meanwhile is waited for.
    package func until<Model: Decodable & Sendable>(
        _ path: String, within limit: Duration = .seconds(90), as type: Model.Type = Model.self,
        _ isRight: @Sendable (Model) -> Bool
    ) async throws -> Model {
        let end = ContinuousClock.now + limit
        while true {
            let model = try? await get(path, as: Model.self)
            if let model, isRight(model) { return model }
            guard ContinuousClock.now < end else { throw SetupFailure("\(path) stays \(model as Any)") }
            try await Task.sleep(for: .milliseconds(30))
        }
    }

    /// The operation once it has ended.
    package func ended(_ operation: String) async throws -> APIModels.Operation {
        try await until("/api/v1/operations/\(operation)", as: Operation.self) { $0.isFinished }
    }

    /// What an operation's log says, one line each.
    package func log(_ operation: String) async throws -> [String] {
        try await get("/api/v1/operations/\(operation)/log?limit=200", as: Listing<LogLine>.self).items.map(\.text)
    }
}

extension APIClient {
    /// One server-sent event.
    package struct Event: Sendable {
        package var name: String
        package var data: JSONValue
    }

    /// The events of an operation as they come, to its end or until the connection is lost.
    package func events(of operation: String, _ take: (Event) async throws -> Bool) async throws {
        var request = request("GET", "/api/v1/operations/\(operation)/events", nil)
        request.timeout = nil
        var buffer: [UInt8] = []
        for try await chunk in try await client.stream(request) {
            buffer += chunk
            while let end = Self.end(of: buffer) {
                let event = try Self.event(buffer[..<end])
                buffer.removeSubrange(..<(end + 2))
                if let event, try await !take(event) { return }
            }
        }
    }

    private static func end(of buffer: [UInt8]) -> Int? {
        buffer.indices.dropLast().first { buffer[$0] == 0x0A && buffer[$0 + 1] == 0x0A }
    }

    private static func event(_ bytes: ArraySlice<UInt8>) throws -> Event? {
        var fields: [Substring: Substring] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else { continue }
            fields[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == " " }
        }
        guard let name = fields["event"], let data = fields["data"] else { return nil }
        return Event(name: String(name), data: try JSONParser.parse(Array(data.utf8)))
    }
}
