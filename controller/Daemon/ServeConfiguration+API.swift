import API
import HTTP
import WireProtocol

/// What callers of the API may hold and how fast they may ask; what is not set is as in `APISettings`.
struct APILimits: Sendable, Hashable {
    var connections: Int?
    var connectionsPerKey: Int?
    var streamsPerKey: Int?
    var requestsPerSecond: Int?
    var burst: Int?

    init() {}

    init(_ fields: JSONObject) throws(FieldError) {
        try fields.allowOnly([
            "connections", "connections_per_key", "streams_per_key", "requests_per_second", "burst",
        ])
        connections = try fields.optionalInteger("connections", in: 256...65_536).map { Int($0) }
        connectionsPerKey = try fields.optionalInteger("connections_per_key", in: 1...10_000).map { Int($0) }
        streamsPerKey = try fields.optionalInteger("streams_per_key", in: 1...10_000).map { Int($0) }
        requestsPerSecond = try fields.optionalInteger("requests_per_second", in: 1...1_000_000).map { Int($0) }
        burst = try fields.optionalInteger("burst", in: 1...1_000_000).map { Int($0) }
    }

    func apply(to settings: inout APISettings) {
        settings.http.maximumConnections = connections ?? settings.http.maximumConnections
        settings.http.callers.connectionsPerCaller = connectionsPerKey ?? settings.http.callers.connectionsPerCaller
        settings.http.callers.streamsPerCaller = streamsPerKey ?? settings.http.callers.streamsPerCaller
        settings.http.keyRate.perSecond = requestsPerSecond.map(Double.init) ?? settings.http.keyRate.perSecond
        settings.http.keyRate.burst = burst.map(Double.init) ?? settings.http.keyRate.burst
    }
}

extension APISettings.Further {
    init(_ fields: JSONObject) throws(FieldError) {
        try fields.allowOnly(["listen", "plain"])
        let address = try Address(fields.string("listen"), key: "listen")
        let isPlain = try fields.optionalBool("plain") ?? false
        guard !isPlain || Listener.isLoopback(address.host) else {
            throw FieldError(path: "listen", problem: .value(expected: ListenerError.expectation))
        }
        self.init(host: address.host, port: address.port, isPlain: isPlain)
    }
}

extension ServeConfiguration {
    /// Where the API and those of other shapes listen beside `api`.
    var furtherAddresses: [Address] {
        apiListeners.map { Address(host: $0.host, port: $0.port) } + compatibility.addresses
    }
}
