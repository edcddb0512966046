import API
import ControllerCore
import DaemonKit
import Logging
import Model
import Placement
import Store
import WireProtocol

/// What `serve` is told by its flags and its file; a flag wins.
struct ServeConfiguration: Sendable {
    var api = Address(host: "127.0.0.1", port: 8443)
    var agents = Address(host: "127.0.0.1", port: 7443)
    /// Further names for the server's certificate. The first is what agents are told to check.
    var names: [String] = []
    var settings = Settings()
    var logLevel = Logger.Level.info
    var eventLoops = 1
    var placement = PlacementRules.standard
    var operations = ExecutorLimits.standard
    var retention = Retention()
    /// How far ahead the clock of a node may be.
    var clockTolerance = Duration.seconds(300)
    var apiLimits = APILimits()
    var allocation = AllocationRules.standard
    /// Listeners of the API beside `api`.
    var apiListeners: [APISettings.Further] = []
    /// APIs of other shapes.
    var compatibility = CompatibilitySettings()
    /// The operator's own certificate for the API.
    var apiPair: OperatorPair?
    /// The file of those who may vouch for customers' sites, as PEM; nil for those of the machine.
    var siteAuthorities: String?

    static let keys: Set<String> = [
        "api", "agents", "names", "heartbeat_ms", "sample_ms", "inventory_ms", "log_level", "event_loops",
        "placement", "operations", "retention", "clock_tolerance_ms", "api_limits",
        "allocation", "api_listeners", "api_tls", "site_authorities", "compatibility",
    ]

    static func read(_ path: String) throws(ConfigurationError) -> ServeConfiguration {
        try ConfigurationFile.read(path, keys: keys, make)
    }

    static func make(_ fields: JSONObject) throws(FieldError) -> ServeConfiguration {
        var made = ServeConfiguration()
        if let text = try fields.optionalString("api") { made.api = try Address(text, key: "api") }
        if let text = try fields.optionalString("agents") { made.agents = try Address(text, key: "agents") }
        made.names = try fields.optionalStrings("names", limit: 64) ?? []
        made.settings.heartbeatMs =
            try fields.optionalInteger("heartbeat_ms", in: 1_000...10_000) ?? made.settings.heartbeatMs
        made.settings.sampleMs = try fields.optionalInteger("sample_ms", in: 100...3_600_000) ?? made.settings.sampleMs
        made.settings.inventoryMs =
            try fields.optionalInteger("inventory_ms", in: 1_000...86_400_000) ?? made.settings.inventoryMs
        if let text = try fields.optionalString("log_level") {
            guard let level = Logger.Level(rawValue: text) else {
                let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                throw FieldError(path: "log_level", problem: .value(expected: "one of \(known)"))
            }
            made.logLevel = level
        }
        made.eventLoops = Int(try fields.optionalInteger("event_loops", in: 1...64) ?? 1)
        made.placement =
            try fields.optionalNested("placement") { (fields) throws(FieldError) in try PlacementRules(fields) }
            ?? .standard
        made.operations =
            try fields.optionalNested("operations") { (fields) throws(FieldError) in try ExecutorLimits(fields) }
            ?? .standard
        made.retention =
            try fields.optionalNested("retention") { (fields) throws(FieldError) in try Retention(fields) }
            ?? Retention()
        if let tolerance = try fields.optionalInteger("clock_tolerance_ms", in: 1_000...86_400_000) {
            made.clockTolerance = .milliseconds(tolerance)
        }
        made.apiLimits =
            try fields.optionalNested("api_limits") { (fields) throws(FieldError) in try APILimits(fields) }
            ?? APILimits()
        made.allocation =
            try fields.optionalNested("allocation") { (fields) throws(FieldError) in try AllocationRules(fields) }
            ?? .standard
        made.apiListeners =
            try fields.optionalList("api_listeners", limit: 16) { (fields) throws(FieldError) in
                try APISettings.Further(fields)
            } ?? []
        made.siteAuthorities = try fields.optionalString("site_authorities")
        if let path = made.siteAuthorities, !path.hasPrefix("/") {
            throw FieldError(path: "site_authorities", problem: .value(expected: "an absolute path"))
        }
        made.compatibility =
            try fields.optionalNested("compatibility") { (fields) throws(FieldError) in
                try CompatibilitySettings(fields)
            } ?? CompatibilitySettings()
        made.apiPair = try fields.optionalNested("api_tls") { (fields) throws(FieldError) in try OperatorPair(fields) }
        return made
    }
}

/// `HOST:PORT`; an IPv6 address stands in brackets.
struct Address: Sendable, Hashable {
    var host: String
    var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init(_ text: String, key: String) throws(FieldError) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port), colon > text.startIndex
        else { throw FieldError(path: key, problem: .value(expected: "HOST:PORT")) }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        self.init(host: host, port: port)
    }
}
