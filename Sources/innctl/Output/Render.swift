import APIModels
import ArgumentParser
import WireProtocol

/// `-o table` for people, `-o wide` for those who want ids beside names and no line cut, `-o json` and `-o yaml` for programs, `-o name` for the next command of a pipe.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, wide, json, yaml, name
}

extension OutputFormat {
    var isForPeople: Bool { self == .table || self == .wide }

    /// For what is shown once: a name in its place would lose it.
    var withSecret: OutputFormat { self == .name ? .table : self }

    /// Prints one thing: as it came when JSON is wanted, else as `text` says.
    func show<Item: Codable>(_ item: Item, _ text: (Item) -> String) throws {
        let json = try BodyEncoder.json(item)
        switch self {
        case .json: Terminal.say(PrettyJSON.text(json))
        case .yaml: Terminal.say(YAMLText.text(json))
        case .name: Terminal.say(Self.name(json) ?? text(item))
        case .table, .wide: Terminal.say(text(item))
        }
    }

    /// What the thing is called in other commands: its id, else its name; of an order, the operation that was begun.
    private static func name(_ json: JSONValue) -> String? {
        let name = json["id"]?.asString ?? json["name"]?.asString ?? json["operation"]?["id"]?.asString
        return name.map(Terminal.clean)
    }

    /// Prints a list: a JSON array, or a table.
    func list<Item: Codable>(_ items: [Item], _ table: ([Item]) -> Table) throws {
        switch self {
        case .json: Terminal.say(try PrettyJSON.text(BodyEncoder.json(items)))
        case .yaml: Terminal.say(try YAMLText.text(BodyEncoder.json(items)))
        case .name: for item in items { Terminal.say(try Self.name(BodyEncoder.json(item)) ?? "-") }
        case .table: Terminal.say(table(items).text(width: Terminal.width))
        case .wide: Terminal.say(table(items).wide)
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
                inner + JSONValue.string(field.key).printedText + ": " + text(field.value, indent: inner)
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        default:
            return value.printedText
        }
    }
}
