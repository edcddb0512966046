import APIModels
import ArgumentParser
import Model

struct MetricsCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Figures of a node or a service.",
        subcommands: [MetricsOfNode.self, MetricsOfService.self])
}

/// The newest values, live values, or a stretch of time.
struct MetricsOptions: ParsableArguments {
    @Option(name: .long, help: "Only this series; may be given again. A * at the end takes all that begin so.")
    var name: [String] = []

    @Flag(help: "Show the newest values again and again, until interrupted.")
    var watch = false

    @Option(help: "With --watch: how often.")
    var every = Span(argument: "5s")!

    @Option(help: "The past: 15m, 24h, 7d.")
    var range: Span?

    @Option(help: "With --range: the time between points; a 60th of the range by default.")
    var step: Span?
}

struct MetricsOfNode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "node", abstract: "Figures of a node.")
    @Argument(help: "Id or name.") var node: String
    @OptionGroup var options: MetricsOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await MetricsView(of: "node", node, options, common.output).show()
    }
}

struct MetricsOfService: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "service", abstract: "Figures of a service.")
    @Argument(help: "Id or external id.") var service: String
    @OptionGroup var options: MetricsOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await MetricsView(of: "service", service, options, common.output).show()
    }
}

/// Asks for metrics and prints them.
struct MetricsView {
    private let path: String
    /// `node web1`, as it was asked for.
    private let subject: String
    private let options: MetricsOptions
    private let output: OutputFormat

    /// - Parameter kind: `node` or `service`.
    init(of kind: String, _ name: String, _ options: MetricsOptions, _ output: OutputFormat) {
        path = "/api/v1/\(kind)s/\(PercentEncoding.encode(name))/metrics"
        subject = "\(kind) \(name)"
        self.options = options
        self.output = output
    }

    func show() async throws {
        let controller = try Controller.connect()
        if let range = options.range { return try await show(range, controller) }
        guard options.watch else { return try show(await newest(controller)) }
        var isAway = false
        while true {
            do throws(Failure) {
                let latest = try await newest(controller)
                isAway = false
                Terminal.clear()
                try show(latest)
            } catch {
                // A controller that begins again is waited for, however long that takes.
                guard error.code == .unreachable else { throw error }
                if !isAway { Terminal.note("… \(error.message); trying again") }
                isAway = true
            }
            try await Task.sleep(for: .seconds(options.every.seconds))
        }
    }

    private func newest(_ controller: Controller) async throws(Failure) -> LatestMetrics {
        let latest: LatestMetrics = try await controller.get(path + "/latest", query: names)
        guard latest.values.isEmpty, !options.name.isEmpty else { return latest }
        let all: LatestMetrics = try await controller.get(path + "/latest")
        guard !all.values.isEmpty else { return latest }
        throw noSuch(among: all.values.keys)
    }

    private func noSuch(among known: some Collection<String>) -> Failure {
        let near = options.name.first.flatMap { Near.word(to: $0, among: known) }
        return Failure(
            .notFound,
            "\(subject) has no figure named \(options.name.joined(separator: " or "))"
                + (near.map { "; did you mean \($0)?" } ?? "; innctl metrics \(subject) shows what it has"))
    }

    private func show(_ latest: LatestMetrics) throws(Failure) {
        do {
            try output.show(latest) { latest in
                "\(subject), \(Self.measured(latest.time))\n"
                    + MetricsTable.latest(latest.values, latest.units ?? [:]).text
            }
        } catch {
            throw error as? Failure ?? Failure(.failed, "\(error)")
        }
    }

    /// When figures are of the past, that comes first.
    static func measured(_ time: Timestamp?, now: Timestamp = .now()) -> String {
        guard let time, let age = Readable.age(time, now: now) else { return "nothing was measured yet" }
        let isOld = now.milliseconds - time.milliseconds > 120_000
        return (isOld ? "NOT THE PRESENT: " : "") + "measured \(age) ago (\(time.iso8601))"
    }

    private func show(_ range: Span, _ controller: Controller) async throws {
        let now = Timestamp.now().milliseconds
        var query = names
        query["from"] = String(now - Int64(range.seconds) * 1000)
        query["to"] = String(now)
        query["step"] = String(Int64(options.step?.seconds ?? max(1, range.seconds / 60)) * 1000)
        let answer: MetricRange = try await controller.get(path, query: query)
        if answer.series.isEmpty, !options.name.isEmpty {
            let all: LatestMetrics = try await controller.get(path + "/latest")
            if !all.values.isEmpty { throw noSuch(among: all.values.keys) }
        }
        try output.show(answer) { MetricsTable.range($0).text }
    }

    private var names: Query {
        var query = Query()
        for name in options.name { query.append("name", name) }
        return query
    }
}

/// Metrics for people.
enum MetricsTable {
    static func latest(_ values: [String: Double], _ units: [String: String] = [:]) -> Table {
        var table = Table("metric", "value")
        for (name, value) in values.sorted(by: { Self.isBefore($0.key, $1.key) }) {
            table.add(name, text(value, units[name]))
        }
        return table
    }

    /// By name, numbers in it by their size: `load.1`, `load.5`, `load.15`.
    private static func isBefore(_ one: String, _ other: String) -> Bool {
        let (left, right) = (one.split(separator: "."), other.split(separator: "."))
        guard let place = zip(left, right).enumerated().first(where: { $1.0 != $1.1 })?.offset else {
            return left.count < right.count
        }
        if let a = Int64(left[place]), let b = Int64(right[place]) { return a < b }
        return left[place] < right[place]
    }

    static func range(_ range: MetricRange) -> Table {
        var table = Table("metric", "points", "least", "mean", "most", "last")
        for series in range.series {
            let values = series.points.map(\.value)
            let mean = values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
            table.add(
                series.name, String(values.count), series.points.map(\.least).min().map { text($0, series.unit) },
                mean.map { text($0, series.unit) }, series.points.map(\.most).max().map { text($0, series.unit) },
                values.last.map { text($0, series.unit) })
        }
        return table
    }

    /// With the unit behind it; bytes in the largest unit that they fill; a share as percent.
    static func text(_ value: Double, _ unit: String?) -> String {
        switch unit {
        case "bytes", "bytes/s":
            guard value >= 0, value < 9e18, let size = ByteCount(Int64(value)) else { break }
            return Readable.bytes(size.bytes) + (unit == "bytes/s" ? "/s" : "")
        case "percent": return Readable.number(value) + " %"
        case "share": return Readable.number(value * 100) + " %"
        case "seconds" where value >= 120: return Readable.span(Int64(min(value, 9e12) * 1000))
        // The name says what is counted.
        case nil, "", "truth", "processes": break
        case let unit?: return "\(Readable.number(value)) \(unit)"
        }
        return Readable.number(value)
    }
}
