import API
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
        settings.maximumConnections = connections ?? settings.maximumConnections
        settings.callers.connectionsPerCaller = connectionsPerKey ?? settings.callers.connectionsPerCaller
        settings.callers.streamsPerCaller = streamsPerKey ?? settings.callers.streamsPerCaller
        settings.keyRate.perSecond = requestsPerSecond.map(Double.init) ?? settings.keyRate.perSecond
        settings.keyRate.burst = burst.map(Double.init) ?? settings.keyRate.burst
    }
}
