import APIModels
import HTTPFetch
import Model
import WireProtocol

/// The controller's API as this program uses it.
struct Controller: Sendable {
    let settings: Settings
    private let client = HTTPClient()
    /// How often a call is tried when the controller does not answer.
    private static let attempts = 3

    init(_ settings: Settings) { self.settings = settings }

    /// From the environment or the stored login.
    static func connect() throws(Failure) -> Controller { Controller(try Settings.load()) }

    func get<Answer: Decodable>(_ path: String, query: Query = Query()) async throws(Failure) -> Answer {
        try decoded(await call("GET", path + query.text))
    }

    /// What is there, with the state that it is in; nil where there is nothing.
    /// - Parameter thing: what it is called in an error.
    func look<Answer: Decodable>(_ path: String, _ thing: String) async throws(Failure) -> Sighting<Answer> {
        let response: HTTPResponse
        do { response = try await call("GET", path) } catch {
            guard error.code == .notFound else { throw error }
            return Sighting(found: nil, condition: Condition(thing: thing, tag: nil))
        }
        guard let tag = response.headers["ETag"] else {
            throw Failure(.failed, "the controller does not say in which state \(thing) is")
        }
        return Sighting(found: try decoded(response), condition: Condition(thing: thing, tag: tag))
    }

    /// A call that changes something. `body` is sent as JSON; the answer is decoded.
    func change<Answer: Decodable>(
        _ method: String, _ path: String, _ body: (any Encodable)? = nil, key: String? = nil,
        if condition: Condition? = nil
    ) async throws(Failure) -> Answer {
        try decoded(await changed(method, path, body, key: key, condition))
    }

    /// A call that changes something and answers with nothing to read.
    func change(
        _ method: String, _ path: String, key: String? = nil, if condition: Condition? = nil
    ) async throws(Failure) {
        _ = try await changed(method, path, nil, key: key, condition)
    }

    /// Bytes for the input of a command. They carry their place, so that no key is needed to send them twice.
    func input(_ order: InputBody, of operation: String) async throws(Failure) -> InputTaken {
        let bytes: [UInt8]
        do { bytes = try BodyEncoder.bytes(order) } catch {
            throw Failure(.failed, "the input cannot be written as JSON: \(error)")
        }
        return try decoded(await call("POST", "/api/v1/operations/\(operation)/input", body: bytes))
    }

    /// Every item of a list, page by page, up to `limit`.
    func all<Item: Codable & Sendable>(
        _ path: String, query: Query = Query(), limit: Int = .max
    ) async throws(Failure) -> [Item] {
        var items: [Item] = []
        var query = query
        while true {
            query["limit"] = String(min(200, limit - items.count))
            let page: Listing<Item> = try await get(path, query: query)
            items += page.items
            guard let next = page.next, items.count < limit else { return items }
            query["cursor"] = next
        }
    }

    /// A stream of server-sent events, after the event `last` if one is given.
    func events(_ path: String, query: Query = Query(), after last: String?) async throws(Failure) -> HTTPStream {
        var request = request("GET", path + query.text)
        request.headers["Accept"] = "text/event-stream"
        request.headers["Last-Event-ID"] = last
        request.timeout = nil
        request.headTimeout = .seconds(30)
        // The controller says something at least every 15 s; three silences in a row mean that it is gone.
        request.idleTimeout = .seconds(50)
        let stream: HTTPStream
        do { stream = try await client.stream(request) } catch { throw Failure(error, settings) }
        guard stream.status == 200 else { throw await refusal(stream) }
        return stream
    }

    private func changed(
        _ method: String, _ path: String, _ body: (any Encodable)?, key: String?, _ condition: Condition?
    ) async throws(Failure) -> HTTPResponse {
        var bytes: [UInt8]?
        do { bytes = try body.map { try BodyEncoder.bytes($0) } } catch {
            throw Failure(.failed, "the request cannot be written as JSON: \(error)")
        }
        // One key for all attempts: whatever the network swallows, the change happens once.
        return try await call(method, path, body: bytes, key: key ?? Identifier.make("innctl"), if: condition)
    }

    private func call(
        _ method: String, _ path: String, body: [UInt8]? = nil, key: String? = nil, if condition: Condition? = nil
    ) async throws(Failure) -> HTTPResponse {
        var request = request(method, path)
        condition?.state(in: &request)
        request.headers["Idempotency-Key"] = key
        if let body {
            request.headers["Content-Type"] = "application/json"
            request.body = .bytes(body)
        }
        let response = try await send(request)
        if response.status == 412, let condition { throw condition.broken }
        guard (200..<300).contains(response.status) else { throw Self.refusal(response.status, response.body) }
        return response
    }

    private func send(_ request: HTTPRequest) async throws(Failure) -> HTTPResponse {
        var attempt = 1
        while true {
            do {
                return try await client.send(request)
            } catch  where error.isRetryable && attempt < Self.attempts {
                try? await Task.sleep(for: .milliseconds(250 << attempt))
                attempt += 1
            } catch {
                throw Failure(error, settings)
            }
        }
    }

    private func request(_ method: String, _ path: String) -> HTTPRequest {
        var request = HTTPRequest(method, settings.url + path)
        request.headers["Authorization"] = "Bearer \(settings.key)"
        request.headers["Accept"] = "application/json"
        if let ca = settings.ca { request.trust = .authorities(pem: Array(ca.utf8)) }
        return request
    }

    private func refusal(_ stream: HTTPStream) async -> Failure {
        var body: [UInt8] = []
        do {
            for try await chunk in stream where body.count < 65536 { body += chunk }
        } catch {
            return Failure(error)
        }
        return Self.refusal(stream.status, body)
    }

    private static func refusal(_ status: Int, _ body: [UInt8]) -> Failure {
        if let json = try? JSONParser.parse(body), let problem = try? BodyDecoder.model(Problem.self, from: json) {
            return Failure(problem)
        }
        return Failure(FailureCode(status: status), "the controller answered with status \(status)")
    }

    private func decoded<Answer: Decodable>(_ response: HTTPResponse) throws(Failure) -> Answer {
        do {
            return try BodyDecoder.model(Answer.self, from: JSONParser.parse(response.body, limits: .answer))
        } catch {
            throw Failure(.failed, "the controller's answer cannot be read: \(error)")
        }
    }
}

extension JSONLimits {
    /// Answers may be larger than a line of the agent link.
    static let answer = JSONLimits(bytes: 8 << 20, values: 2_000_000)
}
