/// Header fields in the order in which they are sent or came; names compare without regard to case.
package struct HTTPHeaders: Sendable, ExpressibleByDictionaryLiteral {
    package private(set) var fields: [(name: String, value: String)]

    package init(_ fields: [(String, String)] = []) {
        self.fields = fields.map { (name: $0.0, value: $0.1) }
    }

    package init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements)
    }

    /// The first value under that name; setting replaces every field of that name.
    package subscript(_ name: String) -> String? {
        get { fields.first { $0.name.lowercased() == name.lowercased() }?.value }
        set {
            fields.removeAll { $0.name.lowercased() == name.lowercased() }
            if let newValue { append(name, newValue) }
        }
    }

    package mutating func append(_ name: String, _ value: String) {
        fields.append((name: name, value: value))
    }
}

/// What a request carries. A body is sent once and never again by itself: a request with one is not retried.
package enum HTTPBody: Sendable {
    case bytes([UInt8])
    /// Pulled piece by piece as the peer takes it, until `next` returns nil. Without a length it is sent chunked. A throw
    /// from `next` breaks the request off, so that the peer cannot take what it has for the whole.
    case stream(length: Int?, next: @Sendable () async throws -> [UInt8]?)
}

/// Whom an HTTPS server must be vouched for by.
package enum HTTPTrust: Sendable, Hashable {
    /// The certificate authorities of the machine.
    case system
    /// Only these authorities: one or more PEM certificates.
    case authorities(pem: [UInt8])
}

/// Which addresses a request may go to. Judged when the name is resolved, so that no name leads elsewhere.
package enum HTTPReach: Int32, Sendable, Hashable {
    case anywhere = 0
    /// Addresses of the public Internet.
    case publicInternet = 1
    case loopback = 2
}

/// One request. Redirects are not followed, environment proxies are not used, only http and https are spoken.
package struct HTTPRequest: Sendable {
    package var method: String
    /// Absolute URL without user name and password. Over a UNIX socket the host only fills the Host field.
    package var url: String
    package var headers: HTTPHeaders
    package var body: HTTPBody?
    /// Path of a UNIX socket to speak through instead of TCP.
    package var unixSocket: String?
    /// The IP address to speak to, whatever the host's name leads to; name and certificate are still the host's.
    package var peer: String?
    package var trust: HTTPTrust = .system
    package var reach: HTTPReach = .anywhere
    /// Limit for the connection, TLS handshake included.
    package var connectTimeout: Duration = .seconds(10)
    /// Limit from the start until the response's head is there.
    package var headTimeout: Duration?
    /// Limit for silence: no byte either way, while this side was ready to take or had something to give.
    package var idleTimeout: Duration?
    /// Limit for the whole exchange; nil for streams without an end.
    package var timeout: Duration? = .seconds(30)
    /// The most that `send` collects of a body. `stream` is bounded by its back-pressure instead.
    package var maximumResponseBytes = 8 << 20

    package init(
        _ method: String = "GET", _ url: String, headers: HTTPHeaders = [:], body: HTTPBody? = nil,
        unixSocket: String? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.unixSocket = unixSocket
    }
}
