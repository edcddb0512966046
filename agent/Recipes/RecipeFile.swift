import DriverKit
import WireProtocol

/// What stands in `recipe.json`, read strictly: an unknown key is a mistake that somebody wants to hear of.
struct RecipeFile {
    let version: String
    let summary: String
    let systems: [String]
    let verbs: [Verb]

    struct Verb {
        let name: String
        let summary: String
        let parameters: [RecipeParameter]
        let returns: [RecipeReturn]
        let limit: Duration
        let changes: Bool
    }

    private static let limits: ClosedRange<Int64> = 1...14_400

    init(_ bytes: [UInt8]) throws(FieldError) {
        let value: JSONValue
        do { value = try JSONParser.parse(bytes, limits: JSONLimits(bytes: 64 << 10)) } catch {
            throw FieldError(path: "recipe.json", problem: .value(expected: "JSON; \(error)"))
        }
        guard let fields = value.asObject else {
            throw FieldError(path: "recipe.json", problem: .value(expected: "an object"))
        }
        try self.init(reading: fields)
    }

    private init(reading fields: JSONObject) throws(FieldError) {
        try fields.allowOnly(["version", "summary", "systems", "limit_s", "parameters", "returns", "verbs"])
        version = try fields.string("version")
        guard version.utf8.count <= 32, version.utf8.allSatisfy(Self.isVersion), !version.isEmpty else {
            throw FieldError(path: "version", problem: .value(expected: "1 to 32 letters, digits, ., - and +"))
        }
        summary = try Self.line(fields, "summary")
        systems = try fields.strings("systems", limit: 32)
        guard !systems.isEmpty, systems.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isVersion) }) else {
            throw FieldError(path: "systems", problem: .value(expected: "a list of ID-VERSION such as debian-12"))
        }
        var verbs = [
            Verb(
                name: Recipe.install, summary: summary, parameters: try Self.parameters(fields),
                returns: try Self.returns(fields),
                limit: .seconds(try fields.optionalInteger("limit_s", in: Self.limits) ?? 1800), changes: true)
        ]
        for member in (try fields.optionalObject("verbs") ?? [:]).members {
            let path = "verbs.\(member.key)"
            guard Self.isName(member.key), member.key != Recipe.install, !Self.reserved.contains(member.key) else {
                throw FieldError(path: path, problem: .value(expected: Self.nameExpectation))
            }
            guard let fields = member.value.asObject else {
                throw FieldError(path: path, problem: .value(expected: "an object"))
            }
            do { verbs.append(try Self.verb(member.key, fields)) } catch { throw error.under(path) }
        }
        guard verbs.count <= 32 else { throw FieldError(path: "verbs", problem: .value(expected: "at most 31")) }
        self.verbs = verbs
    }

    private static func verb(_ name: String, _ fields: JSONObject) throws(FieldError) -> Verb {
        try fields.allowOnly(["summary", "changes", "limit_s", "parameters", "returns"])
        return Verb(
            name: name, summary: try line(fields, "summary"), parameters: try parameters(fields),
            returns: try returns(fields), limit: .seconds(try fields.optionalInteger("limit_s", in: limits) ?? 300),
            changes: try fields.optionalBool("changes") ?? true)
    }

    private static func parameters(_ fields: JSONObject) throws(FieldError) -> [RecipeParameter] {
        var found: [RecipeParameter] = []
        for member in (try fields.optionalObject("parameters") ?? [:]).members {
            let path = "parameters.\(member.key)"
            guard isName(member.key), member.key != "mark" else {
                throw FieldError(path: path, problem: .value(expected: nameExpectation))
            }
            guard let fields = member.value.asObject else {
                throw FieldError(path: path, problem: .value(expected: "an object"))
            }
            do { found.append(try parameter(member.key, fields)) } catch { throw error.under(path) }
        }
        guard found.count <= 64 else { throw FieldError(path: "parameters", problem: .value(expected: "at most 64")) }
        return found
    }

    private static func parameter(_ name: String, _ fields: JSONObject) throws(FieldError) -> RecipeParameter {
        try fields.allowOnly(["form", "help", "secret", "optional", "default", "min", "max", "max_bytes", "words"])
        var argument = Argument(name, try RecipeForm.form(fields), try line(fields, "help"))
        if try fields.optionalBool("optional") ?? false { argument = argument.optional }
        if let fallback = fields["default"] { argument = argument.or(fallback) }
        let isSecret = try fields.optionalBool("secret") ?? false
        if isSecret, argument.fallback != nil {
            throw FieldError(path: "default", problem: .value(expected: "nothing: a secret has no default"))
        }
        return RecipeParameter(argument: argument, isSecret: isSecret)
    }

    private static func returns(_ fields: JSONObject) throws(FieldError) -> [RecipeReturn] {
        var found: [RecipeReturn] = []
        for member in (try fields.optionalObject("returns") ?? [:]).members {
            let path = "returns.\(member.key)"
            guard isName(member.key), let fields = member.value.asObject else {
                throw FieldError(path: path, problem: .value(expected: nameExpectation))
            }
            do {
                try fields.allowOnly(["help", "secret"])
                found.append(
                    RecipeReturn(
                        name: member.key, help: try line(fields, "help"),
                        isSecret: try fields.optionalBool("secret") ?? false))
            } catch { throw error.under(path) }
        }
        guard found.count <= 64 else { throw FieldError(path: "returns", problem: .value(expected: "at most 64")) }
        return found
    }

    // MARK: words

    private static let reserved: Set<String> = ["check", "common", "recipe"]
    static let nameExpectation = "a name of 1 to 32 of a-z, 0-9 and _, beginning with a letter, and none that is taken"

    /// Of verbs, parameters and what is given back: parameters become variables of a shell.
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 32, (0x61...0x7A).contains(first) else { return false }
        return text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }

    private static func isVersion(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || ".-+".utf8.contains(byte)
    }

    private static func line(_ fields: JSONObject, _ key: String) throws(FieldError) -> String {
        let text = try fields.string(key)
        guard !text.isEmpty, text.utf8.count <= 256, RecipeForm.isLine(text) else {
            throw FieldError(path: key, problem: .value(expected: "one line of at most 256 bytes"))
        }
        return text
    }
}
