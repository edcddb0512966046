import Testing
import WireProtocol

/// Which side sends a line.
enum Direction: String {
    case agent
    case controller

    /// Decodes and encodes again; nil of an unknown type.
    func canonical(_ line: [UInt8]) throws(WireError) -> [UInt8]? {
        switch self {
        case .agent:
            let message = try AgentMessage(decoding: line)
            if case .unknown = message { return nil }
            return message.line()
        case .controller:
            let message = try ControllerMessage(decoding: line)
            if case .unknown = message { return nil }
            return message.line()
        }
    }
}

/// A line that must decode and encode back to itself.
struct CanonicalVector: CustomTestStringConvertible {
    let direction: Direction
    let file: String
    let line: [UInt8]

    var type: String { String(file.prefix { $0 != "." }) }
    var variant: String { String(file.split(separator: ".")[1]) }
    var testDescription: String { "\(direction.rawValue)/\(file)" }

    static let all: [CanonicalVector] = [Direction.agent, .controller].flatMap { direction in
        let folder = "vectors/valid/\(direction.rawValue)"
        return Folder.names(in: folder).map { name in
            CanonicalVector(direction: direction, file: name, line: Folder.bytes(of: "\(folder)/\(name)"))
        }
    }
}

/// A line with a wrapper that says what must come of it.
struct DescribedVector: CustomTestStringConvertible {
    let file: String
    let fields: JSONObject

    init(_ file: String) throws {
        self.file = file
        fields = try JSONObject(parsing: String(decoding: Folder.bytes(of: file), as: UTF8.self))
    }

    var testDescription: String { file }

    var direction: Direction {
        get throws { try #require(Direction(rawValue: fields.string("direction"))) }
    }

    /// The line as text, as base 64, or as a list of texts with how often each is repeated.
    var line: [UInt8] {
        get throws {
            if let text = fields["line_base64"]?.asString { return try #require(Base64.decode(text)) }
            if let text = fields["line"]?.asString { return Array(text.utf8) }
            return try fields.array("line").flatMap { part in
                let pair = try #require(part.asArray)
                let times = try #require(pair[1].asInteger)
                return Array(repeatElement(try #require(pair[0].asString).utf8, count: Int(times)).joined())
            }
        }
    }

    static func all(in folder: String) throws -> [DescribedVector] {
        try Folder.names(in: folder).map { try DescribedVector("\(folder)/\($0)") }
    }

    static func invalid() throws -> [DescribedVector] {
        try Folder.names(in: "vectors/invalid").flatMap { try all(in: "vectors/invalid/\($0)") }
    }
}
