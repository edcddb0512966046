import API
import HTTP
import WireProtocol
import WordPressCompatibility

/// How APIs of other shapes are offered beside the API's own.
struct CompatibilitySettings: Sendable, Hashable {
    /// A listener on which one of them has the very paths that it had elsewhere.
    struct Own: Sendable, Hashable {
        var address: Address
        /// Without TLS; on the loopback only.
        var isPlain: Bool
        /// Nobody is asked for a key; on the loopback only.
        var isOpen: Bool
    }

    var wordpress: Own?
    var wordpressSettings = WordPressAPI.Settings()

    init() {}

    init(_ fields: JSONObject) throws(FieldError) {
        try fields.allowOnly(["wordpress"])
        guard let part = try fields.optionalObject("wordpress") else { return }
        do throws(FieldError) { try read(part) } catch { throw error.under("wordpress") }
    }

    private mutating func read(_ fields: JSONObject) throws(FieldError) {
        try fields.allowOnly(["listen", "plain", "open", "wait_s"])
        if let seconds = try fields.optionalInteger("wait_s", in: 0...3600) {
            wordpressSettings.patience = .seconds(seconds)
        }
        let (isPlain, isOpen) = (try fields.optionalBool("plain") ?? false, try fields.optionalBool("open") ?? false)
        guard let text = try fields.optionalString("listen") else {
            guard !isPlain, !isOpen else {
                throw FieldError(path: "listen", problem: .value(expected: "given where plain or open is"))
            }
            return
        }
        let address = try Address(text, key: "listen")
        guard !isPlain && !isOpen || Listener.isLoopback(address.host) else {
            throw FieldError(
                path: "listen",
                problem: .value(
                    expected: isOpen
                        ? "an address of the loopback (127.0.0.1, [::1]): an open listener asks nobody for a key"
                        : ListenerError.expectation))
        }
        wordpress = Own(address: address, isPlain: isPlain, isOpen: isOpen)
    }

    /// Where they listen.
    var addresses: [Address] { [wordpress].compactMap { $0?.address } }

    /// For the API's server.
    var apis: [OtherAPI] {
        let settings = wordpressSettings
        let make: @Sendable (OtherAPI.Front) -> WordPressAPI = { front in
            WordPressAPI(operations: front.operations, history: front.history, settings: settings)
        }
        let own = wordpress.map { own in
            OtherAPI.Own(host: own.address.host, port: own.address.port, isPlain: own.isPlain) { front in
                make(front).list(authenticator: own.isOpen ? .open : front.holders)
            }
        }
        return [
            OtherAPI(
                list: { make($0).list(below: WordPressAPI.prefix, authenticator: $0.holders) }, own: own)
        ]
    }
}
