import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Transport

/// What Hummingbird carries along with a request.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection, for its address and to cut it.
    let channel: any Channel
    /// What is asked for; the router keeps all paths under one method.
    var method = HTTPRequest.Method.get
    /// Names the request in the log and in the answer.
    let requestID: String

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
        requestID = source.logger[metadataKey: "hb.request.id"]?.description ?? ""
    }

    /// The address of the peer without its port.
    var remote: String? { channel.connection.remoteAddress?.plainAddress }

    /// Whether the channel is one of many on its connection (HTTP/2).
    var isStream: Bool { channel.connection !== channel }

    /// What counts as one address: of IPv6 the network that one host has.
    var address: String { channel.connection.remoteAddress?.network ?? "" }
}
