package import HTTP

/// How the API behaves; the defaults are for production.
package struct APISettings: Sendable {
    /// A listener beside the first.
    package struct Further: Sendable, Hashable {
        package var host: String
        package var port: Int
        /// Without TLS, on the loopback only.
        package var isPlain: Bool

        package init(host: String, port: Int, isPlain: Bool) {
            self.host = host
            self.port = port
            self.isPlain = isPlain
        }
    }

    /// The pin of the authority, for join tokens (`Certificate.publicKeyPin`).
    package var authorityPin: String
    package var host = "127.0.0.1"
    /// 0 takes any free port.
    package var port = 8443
    package var further: [Further] = []
    package var http = HTTPSettings()
    /// Whether the rest of the controller is up, for `/readyz`.
    package var isReady: @Sendable () -> Bool = { true }

    package init(authorityPin: String) { self.authorityPin = authorityPin }
}
