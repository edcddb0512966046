/// Sends HTTP requests through libcurl on a thread of its own. Copies share the thread and its idle connections; the
/// thread ends when the last copy and the last open stream are gone.
package struct HTTPClient: Sendable {
    private let loop: TransferLoop

    package init() {
        loop = TransferLoop()
    }

    /// The whole response. Fails with `responseTooLarge` beyond the request's limit.
    package func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let stream = try await stream(request)
        var body: [UInt8] = []
        for try await chunk in stream {
            guard body.count + chunk.count <= request.maximumResponseBytes else {
                throw HTTPError(
                    kind: .responseTooLarge, subject: stream.lease.exchange.subject,
                    cause: "the response is larger than \(request.maximumResponseBytes) bytes")
            }
            body += chunk
        }
        return HTTPResponse(status: stream.status, headers: stream.headers, body: body)
    }

    /// The response's head as soon as it is there, the body as it comes.
    package func stream(_ request: HTTPRequest) async throws(HTTPError) -> HTTPStream {
        let target = try HTTPTarget(request)
        let exchange = Exchange(subject: target.subject, body: request.body, commands: loop.commands)
        let lease = ExchangeLease(exchange, loop: loop)
        loop.commands.submit(.start(exchange, request, target))
        let head = try await exchange.head()
        return HTTPStream(status: head.status, headers: head.headers, lease: lease)
    }
}
