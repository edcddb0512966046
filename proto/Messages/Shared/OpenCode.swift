/// A set of names that may grow: a name that this build does not know decodes to `.unknown` and encodes as it came.
package protocol OpenCode: Sendable, Hashable, CustomStringConvertible {
    /// All that this build knows, in the order of the schema.
    static var known: [Self] { get }
    /// The name on the wire.
    var code: String { get }
    static func unknown(_ code: String) -> Self
}

extension OpenCode {
    package init(code: String) {
        self = Self.known.first { $0.code == code } ?? .unknown(code)
    }

    package var isKnown: Bool { Self.known.contains(self) }
    package var description: String { code }
}

extension JSONObject {
    /// Lower case letters, digits and `_`, so that an unknown code is safe to log and to show.
    func optionalCode<C: OpenCode>(_ key: String, as kind: C.Type = C.self) throws(FieldError) -> C? {
        guard let text = try optionalString(key) else { return nil }
        let isName = text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
        guard isName, (1...64).contains(text.utf8.count) else {
            throw FieldError(path: key, problem: .value(expected: "1 to 64 of a-z, 0-9 and _"))
        }
        return C(code: text)
    }

    func code<C: OpenCode>(_ key: String, as kind: C.Type = C.self) throws(FieldError) -> C {
        guard let code: C = try optionalCode(key) else { throw FieldError(path: key, problem: .missing) }
        return code
    }
}
