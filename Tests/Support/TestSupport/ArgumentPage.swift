import DriverKit
import WireProtocol

/// The last part of a driver's page: every argument of every action, as the driver's table has it.
struct ArgumentPage {
    static let heading = "## Arguments in full\n"
    let text: String

    init(_ actions: [ActionSpec], driver: String) {
        let intro = """

            Made from the driver's own table (`INNKEEPER_WRITE_PAGES=1`, and its tests); so is what `innctl node actions NODE ACTION`
            shows. Actions in *italics* need the argument. Numbers, true and false may come as words.

            | argument | value | what for | of |
            |---|---|---|---|

            """
        var order: [String] = []
        var takers: [String: [String]] = [:]
        for spec in actions {
            let rows =
                Self.rows(spec.arguments ?? []).map { ($0, "") } + Self.rows(spec.secrets).map { ($0, "secret, ") }
            for (row, prefix) in rows {
                let line = "| `\(row.name)` | \(prefix)\(row.value) | \(row.help) |"
                if takers[line] == nil { order.append(line) }
                takers[line, default: []].append(row.isNeeded ? "*\(spec.name)*" : spec.name)
            }
        }
        text =
            Self.heading + intro + order.map { "\($0) \(takers[$0, default: []].joined(separator: ", ")) |\n" }.joined()
    }

    private typealias Row = (name: String, value: String, help: String, isNeeded: Bool)

    private static func rows(_ arguments: [Argument], below path: String = "") -> [Row] {
        arguments.flatMap { argument -> [Row] in
            let name = path + argument.name
            let fallback = argument.fallback.map { " (\($0.asString ?? $0.text))" } ?? ""
            return [(name, escaped(value(argument.form) + fallback), escaped(argument.help), argument.isRequired)]
                + inner(argument.form, name)
        }
    }

    private static func inner(_ form: ArgumentForm, _ name: String) -> [Row] {
        switch form {
        case .record(let fields): rows(fields, below: "\(name).")
        case .list(.record(let fields), _): rows(fields, below: "\(name)[].")
        default: []
        }
    }

    private static func value(_ form: ArgumentForm) -> String {
        switch form {
        case .text(let form): form.name.map { "\($0): \(form.expectation)" } ?? form.expectation
        case .integer(let range) where range.upperBound == .max: "a whole number from \(range.lowerBound)"
        case .list(.record, let count): "\(count.lowerBound) to \(count.upperBound) objects"
        case .list(let form, let count): "\(count.lowerBound) to \(count.upperBound), each \(value(form))"
        case .map(let keys, let form): "an object; names: \(keys.name ?? keys.expectation); values: \(value(form))"
        default: form.expectation
        }
    }

    private static func escaped(_ text: String) -> String {
        text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
