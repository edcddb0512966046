package import ControllerCore
package import HTTP

/// An API of another shape on the same core: its endpoints are served beside the API's own, and where it is wished on a listener of
/// their own, at paths that would collide there.
package struct OtherAPI: Sendable {
    /// What it stands on.
    package struct Front: Sendable {
        package let operations: Operations
        package let history: ChangeHistory
        /// Knows the holders of the API's keys.
        package let holders: Authenticator
    }

    package struct Own: Sendable {
        package var host: String
        package var port: Int
        /// Without TLS, on the loopback only.
        package var isPlain: Bool
        package var list: @Sendable (Front) -> EndpointList

        package init(
            host: String, port: Int, isPlain: Bool, list: @escaping @Sendable (Front) -> EndpointList
        ) {
            (self.host, self.port, self.isPlain, self.list) = (host, port, isPlain, list)
        }
    }

    /// On every listener of the API, below a prefix of its own.
    package var list: @Sendable (Front) -> EndpointList
    package var own: Own?

    package init(list: @escaping @Sendable (Front) -> EndpointList, own: Own? = nil) {
        (self.list, self.own) = (list, own)
    }
}
