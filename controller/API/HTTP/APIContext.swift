package import Hummingbird
import Logging
import NIOCore

/// What Hummingbird carries along with a request.
package struct APIContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The connection, for its address and to cut it.
    let channel: any Channel
    /// Names the request in the log and in the answer.
    let requestID: String

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
        requestID = source.logger[metadataKey: "hb.request.id"]?.description ?? ""
    }

    /// The address of the peer without its port.
    var remote: String? { channel.remoteAddress?.ipAddress }
}
