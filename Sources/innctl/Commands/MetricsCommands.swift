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
        try await MetricsView(subject: "nodes/\(PercentEncoding.encode(node))", options, common.output).show()
    }
}

struct MetricsOfService: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "service", abstract: "Figures of a service.")
    @Argument(help: "Id or external id.") var service: String
    @OptionGroup var options: MetricsOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await MetricsView(subject: "services/\(PercentEncoding.encode(service))", options, common.output).show()
    }
}

/// Asks for metrics and prints them.
struct MetricsView {
    private let path: String
    private let options: MetricsOptions
    private let output: OutputFormat

    init(subject: String, _ options: MetricsOptions, _ output: OutputFormat) {
        path = "/api/v1/\(subject)/metrics"
        self.options = options
        self.output = output
    }

    func show() async throws {
        let controller = try Controller.connect()
        if let range = options.range { return try await show(range, controller) }
        repeat {
            let latest: LatestMetrics = try await controller.get(path + "/latest", query: names)
            if options.watch { Terminal.clear() }
            try output.show(latest) { latest in
                "\(latest.subject) at \(latest.time?.iso8601 ?? "no time: nothing was measured yet")\n"
                    + MetricsTable.latest(latest.values, latest.units ?? [:]).text
            }
            if options.watch { try await Task.sleep(for: .seconds(options.every.seconds)) }
        } while options.watch
    }

    private func show(_ range: Span, _ controller: Controller) async throws {
        let now = Timestamp.now().milliseconds
        var query = names
        query["from"] = String(now - Int64(range.seconds) * 1000)
        query["to"] = String(now)
        query["step"] = String(Int64(options.step?.seconds ?? max(1, range.seconds / 60)) * 1000)
        let answer: MetricRange = try await controller.get(path, query: query)
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
        for (name, value) in values.sorted(by: { $0.key < $1.key }) { table.add(name, text(value, units[name])) }
        return table
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

    /// With the unit behind it; bytes in the largest unit that they fill, always rounded, so that two of them compare at a glance.
    static func text(_ value: Double, _ unit: String?) -> String {
        switch unit {
        case "bytes", "bytes/s":
            guard value >= 0, value < 9e18, let size = ByteCount(Int64(value)) else { break }
            return size.rounded + (unit == "bytes/s" ? "/s" : "")
        case "percent": return Readable.number(value) + " %"
        case nil, "", "truth": break
        case let unit?: return "\(Readable.number(value)) \(unit)"
        }
        return Readable.number(value)
    }
}
