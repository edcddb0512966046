package import APIModels
import Hummingbird
package import Logging
package import Model
import NIOCore
import WireProtocol

/// One call to an endpoint, as the endpoint sees it: decoded, permitted, with its body in hand.
package struct APICall: Sendable {
    package let caller: Caller
    let context: APIContext
    package let query: QueryItems
    /// The body, empty when there is none.
    package let body: [UInt8]
    /// The idempotency key, made unique across callers.
    package let idempotencyKey: String?
    /// The id of the last event that a reader saw before he came back.
    package let lastEventID: String?
    /// What a change expects to find.
    package let expectation: Expectation
    /// How the answer is wanted.
    package let preference: Preference
    package let time: Timestamp
    let pipeline: Pipeline

    package var logger: Logger { context.logger }

    /// Returns when whoever asked has gone, or the task is cancelled: nobody is there then to hear the answer.
    package func departure() async {
        let (stream, end) = AsyncStream.makeStream(of: Never.self)
        let channel = context.channel
        channel.closeFuture.whenComplete { _ in end.finish() }
        // Of HTTP/1.1 without TLS one end may be closed while the other is open.
        channel.eventLoop.execute {
            (try? channel.pipeline.syncOperations.handler(type: HeadGuard.self))?.whenEnded { end.finish() }
        }
        for await _ in stream {}
    }

    /// A part of the path, percent-decoded.
    package func path(_ name: String) throws(Problem) -> String {
        let raw = context.parameters.get(name) ?? ""
        guard let text = PercentDecoding.decode(raw), (1...256).contains(text.utf8.count) else {
            throw Problem(.badRequest, "the \(name) in the path is not valid", field: name)
        }
        return text
    }

    /// The body as a model; unknown fields are refused.
    package func model<Body: Decodable>(_ type: Body.Type = Body.self) throws(Problem) -> Body {
        try StrictBody.model(type, from: body)
    }

    /// As `model`, and nil without a body.
    package func optionalModel<Body: Decodable>(_ type: Body.Type = Body.self) throws(Problem) -> Body? {
        body.isEmpty ? nil : try model(type)
    }
}
