import API
import ControllerCore
import HTTP
import HostingCompatibility
import Model
import StoresCompatibility
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
    var stores: Own?
    var storesSettings = StoresAPI.Settings()
    var hosting: Own?
    var hostingSettings = HostingAPI.Settings()

    init() {}

    init(_ fields: JSONObject) throws(FieldError) {
        try fields.allowOnly(["wordpress", "stores", "hosting"])
        if let part = try fields.optionalObject("wordpress") {
            do throws(FieldError) { try readWordPress(part) } catch { throw error.under("wordpress") }
        }
        if let part = try fields.optionalObject("stores") {
            do throws(FieldError) { try readStores(part) } catch { throw error.under("stores") }
        }
        if let part = try fields.optionalObject("hosting") {
            do throws(FieldError) { try readHosting(part) } catch { throw error.under("hosting") }
        }
    }

    private mutating func readWordPress(_ fields: JSONObject) throws(FieldError) {
        try fields.allowOnly(["listen", "plain", "open", "wait_s"])
        if let seconds = try fields.optionalInteger("wait_s", in: 0...3600) {
            wordpressSettings.patience = .seconds(seconds)
        }
        wordpress = try Own(fields)
    }

    private mutating func readStores(_ fields: JSONObject) throws(FieldError) {
        try fields.allowOnly(["listen", "plain", "open", "wait_s", "plans", "customer"])
        if let seconds = try fields.optionalInteger("wait_s", in: 0...3600) {
            storesSettings.patience = .seconds(seconds)
        }
        if let plans = try fields.optionalObject("plans") {
            for member in plans.members {
                guard let plan = member.value.asString, Grammar.planName.accepts(plan), member.key.utf8.count <= 64
                else {
                    throw FieldError(
                        path: "plans.\(member.key.prefix(64))", problem: .value(expected: "the name of a plan"))
                }
            }
            storesSettings.plans = plans.members.reduce(into: [:]) { $0[$1.key] = $1.value.asString }
        }
        if let customer = try fields.optionalString("customer") {
            guard Grammar.externalID.accepts(customer) else {
                throw FieldError(path: "customer", problem: .value(expected: Grammar.externalID.expectation))
            }
            storesSettings.customer = customer
        }
        stores = try Own(fields)
    }

    private mutating func readHosting(_ fields: JSONObject) throws(FieldError) {
        let own: Set = ["listen", "plain", "open", "allow_private"]
        hosting = try Own(JSONObject(fields.members.filter { own.contains($0.key) }.map { ($0.key, $0.value) }))
        hostingSettings.allowsPrivate = try fields.optionalBool("allow_private") ?? false
        var queue = hostingSettings.queue.json
        for member in fields.members where !own.contains(member.key) {
            guard !["tables", "interval_s"].contains(member.key) else {
                throw FieldError(path: member.key, problem: .value(expected: "absent: requests bring it"))
            }
            queue[member.key] = member.value
        }
        do throws(CoreError) { hostingSettings.queue = try QueueSettings(json: queue, under: "") } catch {
            guard case .invalid(let field, let problem) = error else { return }
            throw FieldError(path: String(field.drop { $0 == "." }), problem: .value(expected: "right: it \(problem)"))
        }
    }

    /// Where they listen.
    var addresses: [Address] { [wordpress, stores, hosting].compactMap { $0?.address } }

    /// For the API's server.
    var apis: [OtherAPI] {
        let (wordpressSettings, storesSettings, hostingSettings) = (
            wordpressSettings, storesSettings, hostingSettings
        )
        return [
            api(wordpress, below: WordPressAPI.prefix) { front, prefix, authenticator in
                WordPressAPI(operations: front.operations, history: front.history, settings: wordpressSettings)
                    .list(below: prefix, authenticator: authenticator)
            },
            api(stores, below: StoresAPI.prefix) { front, prefix, authenticator in
                StoresAPI(operations: front.operations, history: front.history, settings: storesSettings)
                    .list(below: prefix, authenticator: authenticator)
            },
            api(hosting, below: HostingAPI.prefix) { front, prefix, authenticator in
                HostingAPI(operations: front.operations, settings: hostingSettings)
                    .list(below: prefix, authenticator: authenticator)
            },
        ]
    }

    private func api(
        _ own: Own?, below prefix: String,
        _ list: @escaping @Sendable (OtherAPI.Front, _ prefix: String, Authenticator) -> EndpointList
    ) -> OtherAPI {
        OtherAPI(
            list: { list($0, prefix, $0.holders) },
            own: own.map { own in
                OtherAPI.Own(host: own.address.host, port: own.address.port, isPlain: own.isPlain) { front in
                    list(front, "", own.isOpen ? .open : front.holders)
                }
            })
    }
}

extension CompatibilitySettings.Own {
    /// Nil where there is to be none.
    fileprivate init?(_ fields: JSONObject) throws(FieldError) {
        let (isPlain, isOpen) = (try fields.optionalBool("plain") ?? false, try fields.optionalBool("open") ?? false)
        guard let text = try fields.optionalString("listen") else {
            guard !isPlain, !isOpen else {
                throw FieldError(path: "listen", problem: .value(expected: "given where plain or open is"))
            }
            return nil
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
        self.init(address: address, isPlain: isPlain, isOpen: isOpen)
    }
}
