import APIModels
import HTTPFetch
import SimulatedFleet
import WireProtocol

/// The controller's HTTPS API.
struct APIClient: Sendable {
    let url: String
    let key: String
    let authority: [UInt8]
    private let client = HTTPClient()

    init(url: String, key: String, authority: [UInt8]) {
        (self.url, self.key, self.authority) = (url, key, authority)
    }

    func send(_ method: String, _ path: String, _ body: String? = nil) async throws -> HTTPResponse {
        try await client.send(request(method, path, body))
    }

    /// The answer's model; a refusal is an error with the status and the answer's words.
    func model<Model: Decodable>(
        _ method: String, _ path: String, _ body: String? = nil, as type: Model.Type = Model.self
    ) async throws -> Model {
        let response = try await send(method, path, body)
        guard response.status < 300 else {
            throw Refusal(status: response.status, text: String(decoding: response.body.prefix(400), as: UTF8.self))
        }
        return try BodyDecoder.model(Model.self, from: JSONParser.parse(response.body, limits: .local))
    }

    /// Reads an endless answer for some time, or until it ends.
    func stream(_ path: String, for time: Duration, pause: Duration) async throws {
        var request = request("GET", path, nil)
        request.timeout = nil
        let end = ContinuousClock.now + time
        let stream = try await client.stream(request)
        for try await _ in stream {
            if ContinuousClock.now > end { return }
            try await Task.sleep(for: pause)
        }
    }

    func isReady() async -> Bool { (try? await send("GET", "/readyz").status) == 200 }

    func token(uses: Int) async throws -> String {
        let view = try await model(
            "POST", "/api/v1/tokens", #"{"uses":\#(uses),"expires_in_seconds":600,"approved":true}"#,
            as: JoinTokenView.self)
        guard let token = view.token else { throw FleetFailure("the answer holds no token") }
        return token
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
}

/// The API said no.
struct Refusal: Error, CustomStringConvertible {
    var status: Int
    var text: String

    var description: String { "\(status): \(text)" }
}
