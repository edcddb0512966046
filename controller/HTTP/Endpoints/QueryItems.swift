package import APIModels
package import Model

/// The query of a request. Unknown names are refused: a misspelt filter must not silently match everything.
package struct QueryItems: Sendable {
    private var items: [(name: String, value: String)] = []

    /// - Parameter allowed: what the endpoint knows.
    init(_ query: String?, allowed: [QueryParameter]) throws(Problem) {
        for part in (query ?? "").split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentDecoding.decode(pair[0], plusIsSpace: true),
                let value = PercentDecoding.decode(pair.count > 1 ? pair[1] : "", plusIsSpace: true)
            else { throw Problem(.badRequest, "the query is not valid percent-encoded text") }
            guard let parameter = allowed.first(where: { $0.name == name }) else {
                throw Problem(.invalidField, "there is no query parameter \(name.prefix(60)) here", field: name)
            }
            guard parameter.isRepeatable || !items.contains(where: { $0.name == name }) else {
                throw Problem(.invalidField, "the query parameter \(name) is given twice", field: name)
            }
            items.append((name, value))
        }
        guard items.count <= 100 else { throw Problem(.badRequest, "the query has more than 100 parameters") }
    }

    /// The value given for the name.
    package subscript(name: String) -> String? { items.last { $0.name == name }?.value }

    /// All values given for the name.
    package func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

    /// A whole number within bounds.
    package func integer(_ name: String, _ range: ClosedRange<Int64>) throws(Problem) -> Int64? {
        guard let text = self[name] else { return nil }
        guard let value = Int64(text), range.contains(value) else {
            throw Problem(
                .invalidField,
                "the query parameter \(name) must be an integer from \(range.lowerBound) to \(range.upperBound)",
                field: name)
        }
        return value
    }

    /// True or false; false where it is absent.
    package func flag(_ name: String) throws(Problem) -> Bool {
        switch self[name] {
        case nil, "false": return false
        case "true": return true
        default: throw Problem(.invalidField, "the query parameter \(name) must be true or false", field: name)
        }
    }

    /// A time in milliseconds since 1970, or as ISO 8601 text.
    package func time(_ name: String) throws(Problem) -> Timestamp? {
        guard let text = self[name] else { return nil }
        if let milliseconds = Int64(text), milliseconds >= 0 { return Timestamp(milliseconds: milliseconds) }
        guard let time = Timestamp(iso8601: text) else {
            throw Problem(
                .invalidField,
                "the query parameter \(name) must be milliseconds since 1970 or a time such as 2026-11-21T08:15:00Z",
                field: name)
        }
        return time
    }

    /// One of the raw values of `Word`.
    package func word<Word: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ type: Word.Type = Word.self
    ) throws(Problem) -> Word? {
        try word(name, among: Word.allCases.map(\.rawValue)).flatMap { Word(rawValue: $0) }
    }

    /// One of `words`.
    package func word(_ name: String, among words: [String]) throws(Problem) -> String? {
        guard let text = self[name] else { return nil }
        guard words.contains(text) else {
            throw Problem(
                .invalidField, "the query parameter \(name) must be one of \(words.joined(separator: ", "))",
                field: name)
        }
        return text
    }
}
