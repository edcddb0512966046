package import ControllerCore
package import HTTPFetch

extension HTTPPort {
    /// The real way to the outside. Redirects are not followed.
    /// - Parameter authorities: may vouch for servers of which the request does not say who may, as PEM; nil for those of the machine.
    package static func fetch(_ client: HTTPClient = HTTPClient(), authorities: String? = nil) -> HTTPPort {
        HTTPPort { order throws(PortError) in
            var order = order
            order.authorities = order.authorities ?? authorities
            let response: HTTPResponse
            do throws(HTTPError) { response = try await client.send(HTTPRequest(order)) } catch {
                throw PortError(error)
            }
            var headers: [String: String] = [:]
            for field in response.headers.fields { headers[field.name.lowercased()] = field.value }
            return OutboundReply(status: response.status, headers: headers, body: response.body)
        }
    }
}

extension HTTPRequest {
    fileprivate init(_ order: OutboundRequest) {
        self.init(
            order.method, order.url, headers: HTTPHeaders(order.headers.sorted { $0.key < $1.key }),
            body: order.body.isEmpty ? nil : .bytes(order.body))
        connectTimeout = min(.seconds(10), order.timeout)
        timeout = order.timeout
        peer = order.peer
        maximumResponseBytes = order.answerLimit
        reach =
            switch order.reach {
            case .anywhere: .anywhere
            case .publicInternet: .publicInternet
            case .loopback: .loopback
            }
        if let authorities = order.authorities { trust = .authorities(pem: Array(authorities.utf8)) }
    }
}

extension PortError {
    fileprivate init(_ error: HTTPError) {
        switch error.kind {
        case .invalidRequest, .forbidden, .untrusted: self.init(.refused, error.description)
        default: self.init(error.mayHaveArrived ? .silent : .busy, error.description)
        }
    }
}

extension HTTPHeaders {
    fileprivate init(_ fields: [Dictionary<String, String>.Element]) {
        self.init(fields.map { ($0.key, $0.value) })
    }
}
