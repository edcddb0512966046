import Model
import WireProtocol

/// Where a value stands in a call, for errors.
struct ArgumentPlace {
    /// `mounts[0].source`.
    let path: String
    /// Whether the value must not be quoted.
    let isSecret: Bool

    func appending(_ name: String) -> ArgumentPlace {
        ArgumentPlace(path: path.isEmpty ? name : "\(path).\(name)", isSecret: isSecret)
    }

    func appending(_ index: Int) -> ArgumentPlace {
        ArgumentPlace(path: "\(path)[\(index)]", isSecret: isSecret)
    }
}

extension ArgumentForm {
    /// The value as an action gets it: numbers and truth values that came as words are such, what was left out has its default.
    /// - Throws: `invalidArgument` with the place.
    func read(_ value: JSONValue, at place: ArgumentPlace) throws(DriverError) -> JSONValue {
        if let right = try reading(value, at: place) { return right }
        // A word of a command line is a number, or true or false, where one of these is asked for.
        if let meaning = Self.meaning(value), let right = try reading(meaning, at: place) { return right }
        throw .invalidArgument(place.path, "must be \(expectation)")
    }

    /// Nil for a value of another kind or outside its bounds.
    private func reading(_ value: JSONValue, at place: ArgumentPlace) throws(DriverError) -> JSONValue? {
        switch (self, value) {
        case (.any, _): return value
        case (.text(let form), .string(let text)): return try form.read(text, at: place)
        case (.choice(let words), _):
            return Self.word(value).flatMap { Self.value(.string($0), if: words.contains($0)) }
        case (.bool, .bool): return value
        case (.integer(let range), _):
            return value.asInteger.flatMap { Self.value(.integer($0), if: range.contains($0)) }
        case (.number(let range), _):
            return value.asNumber.flatMap { Self.value(value, if: range.contains($0)) }
        case (.list(let form, let count), .array(let values)):
            guard count.contains(values.count) else { return nil }
            var right: [JSONValue] = []
            for (index, value) in values.enumerated() { right.append(try form.read(value, at: place.appending(index))) }
            return .array(right)
        case (.record(let fields), .object(let object)): return .object(try fields.read(object, at: place))
        case (.map(let keys, let form), .object(let object)):
            return .object(try Self.read(object, keys, form, at: place))
        default: return nil
        }
    }

    /// `nil` alone would be JSON's null.
    private static func value(_ value: JSONValue, if isRight: Bool) -> JSONValue? { isRight ? .some(value) : .none }

    /// A choice as a word: what a tool calls on and off, and a number that stands for itself.
    private static func word(_ value: JSONValue) -> String? {
        if let isOn = value.asBool { return isOn ? "on" : "off" }
        return value.asString ?? value.asInteger.map(String.init)
    }

    private static func read(
        _ object: JSONObject, _ keys: TextForm, _ form: ArgumentForm, at place: ArgumentPlace
    ) throws(DriverError) -> JSONObject {
        var right: JSONObject = [:]
        for member in object.members {
            let inner = place.appending(member.key)
            guard keys.accepts(member.key) else { throw .invalidArgument(inner.path, "is not \(keys.expectation)") }
            right[member.key] = try form.read(member.value, at: inner)
        }
        return right
    }

    private static func meaning(_ value: JSONValue) -> JSONValue? {
        guard let text = value.asString, text.utf8.count <= 64, let value = try? JSONParser.parse(text) else {
            return nil
        }
        return Self.value(value, if: value.asNumber != nil || value.asBool != nil)
    }
}

extension TextForm {
    fileprivate func read(_ text: String, at place: ArgumentPlace) throws(DriverError) -> JSONValue {
        if accepts(text) { return .string(text) }
        guard let name, !place.isSecret else { throw .invalidArgument(place.path, "must be \(expectation)") }
        let shown = GrammarError(field: name, value: text, expectation: expectation).value
        throw .invalidArgument(place.path, "is no \(name): \"\(shown)\" must be \(expectation)")
    }
}

extension [Argument] {
    /// The object with every value read and defaults where nothing was given; `null` is nothing.
    func read(_ object: JSONObject, at place: ArgumentPlace) throws(DriverError) -> JSONObject {
        if let stranger = object.keys.first(where: { key in !contains { $0.name == key } }) {
            throw .invalidArgument(place.appending(stranger).path, "is not an argument of this action")
        }
        var right: JSONObject = [:]
        for argument in self {
            let place = place.appending(argument.name)
            if let value = object[argument.name], value != .null {
                right[argument.name] = try argument.form.read(value, at: place)
            } else if let fallback = argument.fallback {
                right[argument.name] = fallback
            } else if argument.isRequired {
                throw .invalidArgument(place.path, "is missing")
            }
        }
        return right
    }
}

extension ArgumentForm {
    /// The end of a sentence that begins with "must be".
    package var expectation: String {
        switch self {
        case .text(let form): form.name == nil ? form.expectation : "a string"
        case .choice(let words): "one of " + words.joined(separator: ", ")
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .number(let range): "a number from \(range.lowerBound.shown) to \(range.upperBound.shown)"
        case .bool: "true or false"
        case .list(.text, let count) where count.upperBound > 1000: "a list of strings"
        case .list(_, let count): "a list of \(count.lowerBound) to \(count.upperBound) values"
        case .record, .map: "an object"
        case .any: "JSON"
        }
    }
}

extension Double {
    /// Without a fraction that is nothing.
    var shown: String { self == rounded() && abs(self) < 1e15 ? String(Int64(self)) : description }
}
