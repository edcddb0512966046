package import HTTPTypes

/// Endpoints that belong together: who may call them is found out in one way, and what went wrong is told in one shape.
package struct EndpointList: Sendable {
    package let endpoints: [Endpoint]
    /// Paths below it that lead nowhere are answered in the shape of this list; of several the longest counts.
    let prefix: String
    let authenticator: Authenticator
    let errors: ErrorShape

    package init(
        _ endpoints: [Endpoint], below prefix: String = "", authenticator: Authenticator, errors: ErrorShape
    ) {
        self.endpoints = endpoints
        self.prefix = prefix
        self.authenticator = authenticator
        self.errors = errors
    }
}

/// Finds out who asks.
package struct Authenticator: Sendable {
    let caller: @Sendable (_ fields: HTTPFields, _ remote: String?) async throws -> Caller

    /// - Parameter caller: from the fields of the request, `Host` among them in whichever version of HTTP, and the address of the peer; throws a `Denied` where nobody is known.
    package init(_ caller: @escaping @Sendable (_ fields: HTTPFields, _ remote: String?) async throws -> Caller) {
        self.caller = caller
    }
}
