import APIModels
import ArgumentParser
import Model
import WireProtocol

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: "table for people, wide for all columns, json or yaml for programs, name for the next command.")
    private var format: OutputFormat = .table

    @Flag(name: [.short, .long], help: "Only ids or names, one a line; the same as -o name.")
    private var quiet = false

    var output: OutputFormat { quiet ? .name : format }
}

/// Waiting for the operation that a command begins.
struct WaitOptions: ParsableArguments {
    @Flag(help: "Wait until the operation has ended, and show its steps.")
    var wait = false

    @Flag(help: "Like --wait, and show the operation's log as well.")
    var watch = false

    @Option(help: "Give up waiting after 90s, 10m, 2h (exit code 9); the operation goes on.")
    var timeout: Patience?

    @Option(help: "The idempotency key to send; the same key and request twice is one change. Made up by default.")
    var idempotencyKey: String?
}

/// What a service gets other than its plan says.
struct SizeOptions: ParsableArguments {
    @Option(help: "Memory: 512MiB, 2G.", transform: Size.init) var memory: Size?
    @Option(help: "Processor: 500m or 0.5 is half a core.", transform: Cores.init) var cpu: Cores?
    @Option(help: "Disk: 5GiB.", transform: Size.init) var disk: Size?

    @Option(name: .customLong("set"), help: "Any other field that the product allows, name=value; may be given again.")
    var fields: [FieldValue] = []

    /// Says what was taken for more than most mean.
    func tellDoubts() {
        if let doubt = cpu?.doubt { Terminal.note("note: \(doubt)") }
    }

    var overrides: JSONValue? {
        var overrides: JSONObject = [:]
        overrides["memory_bytes"] = memory.map { .integer($0.bytes) }
        overrides["cpu_millis"] = cpu.map { .integer($0.millis) }
        overrides["disk_bytes"] = disk.map { .integer($0.bytes) }
        for field in fields { overrides[field.name] = field.value }
        return overrides.isEmpty ? nil : .object(overrides)
    }
}

/// What a new service is to be.
struct WantedOptions: ParsableArguments {
    @Option(help: "The plan's name.") var plan: String
    @OptionGroup var sizes: SizeOptions

    func order(of customer: String, externalID: String? = nil, labels: [String: String]? = nil) -> ServiceBody {
        ServiceBody(
            externalID: externalID, customer: customer, plan: plan, labels: labels, overrides: sizes.overrides)
    }
}

/// How much of a list that only grows.
struct LimitOption: ParsableArguments {
    @Option(name: .customLong("limit"), help: "At most so many.") private(set) var count = 50

    func validate() throws {
        if count < 1 { throw ValidationError("--limit must be at least 1") }
    }
}

/// Why somebody wants a change.
struct ReasonOption: ParsableArguments {
    @Option(help: "Why; it stands in the operation and in the audit log.") var reason: String?

    var request: ReasonRequest? { reason.map { ReasonRequest(reason: $0) } }
}

/// A size such as `512MiB`.
struct Size: Sendable {
    let bytes: Int64

    init(_ text: String) throws {
        guard let size = try? ByteCount(parsing: text), size.bytes > 0 else {
            throw ValidationError("a size looks like 512MiB, 2GiB or 1.5G, not \"\(text.prefix(40))\".")
        }
        // Nobody sells less than a mebibyte: a number alone is a forgotten unit.
        guard size.bytes >= 1 << 20 || !text.allSatisfy(\.isNumber) else {
            throw ValidationError("\(text.prefix(40)) would be bytes; did you mean \(text.prefix(40))MiB?")
        }
        bytes = size.bytes
    }
}

/// Processor time: `500m` is half a core, so is `0.5`.
struct Cores: Sendable {
    let millis: Int64
    /// What `--cpu` was taken for, where that is more than most mean.
    let doubt: String?

    /// More whole cores than this for one service are rather a percentage, or thousandths.
    private static let plausible = 48.0

    init(_ text: String) throws {
        if text.hasSuffix("m"), let millis = Int64(text.dropLast()), millis > 0 {
            (self.millis, doubt) = (millis, nil)
        } else if let cores = Double(text), cores > 0, cores <= 4096 {
            millis = Int64((cores * 1000).rounded())
            doubt = cores < Self.plausible ? nil : "--cpu \(text) is \(text) whole cores; half a core is 0.5 or 500m"
        } else {
            throw ValidationError(
                "processor time looks like 0.5 or 2 (cores), or 500m (thousandths), not \"\(text.prefix(40))\".")
        }
    }
}

/// A stretch of time: `90s`, `15m`, `24h`, `7d`.
struct Span: ExpressibleByArgument {
    let seconds: Int

    var defaultValueDescription: String { text }

    /// As somebody would have typed it.
    var text: String {
        for (unit, length) in [("d", 86400), ("h", 3600), ("m", 60)] where seconds % length == 0 && seconds > length {
            return "\(seconds / length)\(unit)"
        }
        return "\(seconds)s"
    }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        guard let last = argument.last, let unit = units[last], let count = Int(argument.dropLast()), count > 0,
            case let (seconds, overflow) = count.multipliedReportingOverflow(by: unit), !overflow
        else { return nil }
        self.seconds = seconds
    }
}

/// How long somebody waits: a stretch of time, or a bare number of seconds.
struct Patience: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        guard let span = Span(argument: argument) ?? Span(argument: argument + "s") else { return nil }
        duration = .seconds(span.seconds)
    }
}

/// `zone=a`, a label or a variable of the environment.
struct Pair: ExpressibleByArgument {
    let name: String
    let value: String

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return nil }
        name = String(parts[0])
        value = String(parts[1])
    }
}

/// `name=value` for a field of a product; a value that is JSON is taken as such, any other as text.
struct FieldValue: ExpressibleByArgument {
    let name: String
    let value: JSONValue

    init?(argument: String) {
        guard let pair = Pair(argument: argument) else { return nil }
        name = pair.name
        value = (try? JSONParser.parse(Array(pair.value.utf8))) ?? .string(pair.value)
    }
}

extension [Pair] {
    /// The pairs as a map; the last of the same name counts.
    var map: [String: String] {
        Dictionary(map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
    }
}
