import APIModels
import ArgumentParser
import WireProtocol

/// `-o table` for people, `-o json` for programs.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, json
}

extension OutputFormat {
    /// Prints one thing: as it came when JSON is wanted, else as `text` says.
    func show<Item: Codable>(_ item: Item, _ text: (Item) -> String) throws {
        switch self {
        case .json: Terminal.say(try PrettyJSON.text(BodyEncoder.json(item)))
        case .table: Terminal.say(text(item))
        }
    }

    /// Prints a list: a JSON array, or a table.
    func list<Item: Codable>(_ items: [Item], _ table: ([Item]) -> Table) throws {
        switch self {
        case .json: Terminal.say(try PrettyJSON.text(BodyEncoder.json(items)))
        case .table: Terminal.say(table(items).text)
        }
    }
}

/// JSON with two spaces of indentation, fields in the order in which they came.
enum PrettyJSON {
    static func text(_ value: JSONValue, indent: String = "") -> String {
        let inner = indent + "  "
        switch value {
        case .array(let items) where !items.isEmpty:
            let lines = items.map { inner + text($0, indent: inner) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let object) where !object.isEmpty:
            let lines = object.members.map { field in
                inner + JSONValue.string(field.key).text + ": " + text(field.value, indent: inner)
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        default:
            return value.text
        }
    }
}
