import WireProtocol

/// Takes the secrets of a command out of what is said about it: tools like to repeat in an error what they were given.
struct Redaction: Sendable {
    static let mark = "[secret]"
    /// A shorter value would be found everywhere by chance.
    private static let shortest = 6

    /// The longest first, so that one that holds another goes whole.
    private let secrets: [[UInt8]]

    init(of command: Command) {
        secrets = Self.texts(in: .object(command.secrets ?? [:])).filter { $0.count >= Self.shortest }
            .sorted { $0.count > $1.count }
    }

    func text(_ text: String) -> String {
        guard !secrets.isEmpty else { return text }
        var bytes = Array(text.utf8)
        for secret in secrets { bytes = Self.replace(secret, in: bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    func result(_ result: CommandResult) -> CommandResult {
        guard !secrets.isEmpty else { return result }
        var result = result
        result.observed = value(.object(result.observed)).asObject ?? [:]
        if let error = result.error {
            result.error?.message = text(error.message)
            result.error?.detail = error.detail.map(text)
        }
        return result
    }

    private func value(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let string): .string(text(string))
        case .array(let items): .array(items.map(self.value))
        case .object(let object): .object(JSONObject(object.members.map { (text($0.key), self.value($0.value)) }))
        default: value
        }
    }

    private static func texts(in value: JSONValue) -> [[UInt8]] {
        switch value {
        case .string(let string): [Array(string.utf8)]
        case .array(let items): items.flatMap(texts)
        case .object(let object): object.members.flatMap { texts(in: $0.value) }
        default: []
        }
    }

    private static func replace(_ secret: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= secret.count else { return bytes }
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == secret[0], bytes[index...].starts(with: secret) {
                result += Self.mark.utf8
                index += secret.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }
}
