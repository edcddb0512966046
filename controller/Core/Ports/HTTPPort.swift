/// Calls to the APIs of others.
package struct HTTPPort: Sendable {
    /// Throws `silent` where the call may have arrived, `busy` where it surely has not.
    package var send: @Sendable (OutboundRequest) async throws(PortError) -> OutboundReply

    package init(send: @escaping @Sendable (OutboundRequest) async throws(PortError) -> OutboundReply) {
        self.send = send
    }

    /// The same, where each call goes no further than this.
    package func reaching(_ reach: OutboundRequest.Reach) -> HTTPPort {
        guard reach != .anywhere else { return self }
        return HTTPPort { request throws(PortError) in
            var request = request
            request.reach = reach
            return try await send(request)
        }
    }

    package static let none = HTTPPort { (_) throws(PortError) in throw .notSetUp("way to the outside") }
}

package struct OutboundRequest: Sendable, Hashable {
    /// Which addresses it may go to, whatever names lead to.
    package enum Reach: Sendable, Hashable { case anywhere, publicInternet, loopback }

    package var method: String
    package var url: String
    package var headers: [String: String]
    package var body: [UInt8]
    package var timeout: Duration
    /// The only authorities that may vouch for the server, as PEM; nil for those of the machine.
    package var authorities: String?
    /// The IP address to speak to, whatever the host's name leads to; nil follows the name.
    package var peer: String?
    /// Others than operators may have said where it goes.
    package var reach: Reach
    /// Bytes of an answer's body that are taken in.
    package var answerLimit: Int

    package init(
        _ method: String, _ url: String, headers: [String: String] = [:], body: [UInt8] = [],
        timeout: Duration = .seconds(30), authorities: String? = nil, peer: String? = nil,
        reach: Reach = .anywhere, answerLimit: Int = 8 << 20
    ) {
        (self.reach, self.answerLimit) = (reach, answerLimit)
        (self.method, self.url, self.headers) = (method, url, headers)
        (self.body, self.timeout, self.authorities, self.peer) = (body, timeout, authorities, peer)
    }
}

package struct OutboundReply: Sendable, Hashable {
    package var status: Int
    /// By names in lower case.
    package var headers: [String: String]
    package var body: [UInt8]

    package init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }
}

extension OutboundReply {
    /// The reply, when it is one of `statuses`; else why it is none that helps.
    /// - Parameter what: was asked for, for people.
    package func accepted(_ statuses: Set<Int>, _ what: String) throws(PortError) -> OutboundReply {
        if statuses.contains(status) { return self }
        let kind: PortError.Kind =
            switch status {
            case 408, 425, 429, 503: .busy
            case 409: .conflict
            case 500...: .silent
            default: .refused
            }
        throw PortError(kind, "\(what) was answered with \(status)")
    }
}
