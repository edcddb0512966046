/// Status and header fields, as they came before the body.
package struct HTTPHead: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
}

/// A response taken in whole.
package struct HTTPResponse: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    package var body: [UInt8]
}

/// A response whose body is still coming. The body can be read once; leaving the loop, dropping the stream or
/// cancelling the reading task breaks the transfer off. While nobody reads, at most about 64 KiB are held and the peer
/// is made to wait.
package struct HTTPStream: Sendable, AsyncSequence {
    package typealias Element = [UInt8]
    package typealias Failure = HTTPError

    package let status: Int
    package let headers: HTTPHeaders
    let lease: ExchangeLease

    package struct AsyncIterator: AsyncIteratorProtocol {
        let lease: ExchangeLease

        package func next() async throws(HTTPError) -> [UInt8]? {
            try await lease.exchange.nextChunk()
        }

        package func next(isolation actor: isolated (any Actor)?) async throws(HTTPError) -> [UInt8]? {
            try await lease.exchange.nextChunk()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(lease: lease)
    }
}
