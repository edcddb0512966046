import APIModels
import HTTPTypes
import Transport

/// Names one state of a resource (RFC 9110, 8.8.3).
package struct EntityTag: Sendable, Hashable, CustomStringConvertible {
    /// Between the quotation marks.
    let opaque: String
    private(set) var isWeak = false
    private static let suffix = "-gzip"

    /// Of the bytes of a representation.
    package init(of bytes: [UInt8]) { self.init(opaque: Crypto.base64url(Crypto.sha256(bytes).prefix(15))) }

    private init(opaque: String) { self.opaque = opaque }

    /// Of the same representation as it goes over the wire compressed, which is another one byte for byte.
    var compressed: EntityTag { EntityTag(opaque: opaque + Self.suffix) }

    /// The state that it names, in whichever encoding.
    fileprivate var state: String {
        opaque.hasSuffix(Self.suffix) ? String(opaque.dropLast(Self.suffix.count)) : opaque
    }

    fileprivate init?(_ text: Substring) {
        var text = text
        if text.hasPrefix("W/") {
            isWeak = true
            text = text.dropFirst(2)
        }
        guard text.utf8.count >= 2, text.first == "\"", text.last == "\"" else { return nil }
        opaque = String(text.dropFirst().dropLast())
        guard opaque.utf8.allSatisfy({ $0 == 0x21 || (0x23...0x7E).contains($0) || $0 >= 0x80 }) else { return nil }
    }

    package var description: String { (isWeak ? "W/" : "") + "\"\(opaque)\"" }
}

/// The tags of an `If-Match` or `If-None-Match`.
enum TagList: Sendable, Hashable {
    case any
    case tags([EntityTag])

    /// Nil where the field is absent.
    init?(_ headers: HTTPFields, _ name: HTTPField.Name) throws(Problem) {
        guard let text = headers[name] else { return nil }
        let parts = text.split(separator: ",").map { $0.trimmed }
        guard parts != ["*"] else {
            self = .any
            return
        }
        let tags = parts.compactMap { EntityTag($0) }
        guard !parts.isEmpty, tags.count == parts.count, tags.count <= 64 else {
            throw Problem(.badRequest, "\(name) must be * or up to 64 entity tags in quotation marks", field: "\(name)")
        }
        self = .tags(tags)
    }

    /// Byte for byte, as `If-Match` wants it.
    func contains(exactly tag: EntityTag) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains { !$0.isWeak && $0.state == tag.state }
        }
    }

    /// In meaning, as `If-None-Match` wants it.
    func contains(_ tag: EntityTag) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains { $0.state == tag.state }
        }
    }
}

/// What a change expects to find.
package struct Expectation: Sendable, Hashable {
    var match: TagList?
    var noneMatch: TagList?

    init(_ headers: HTTPFields) throws(Problem) {
        match = try TagList(headers, .ifMatch)
        noneMatch = try TagList(headers, .ifNoneMatch)
    }

    package var isEmpty: Bool { match == nil && noneMatch == nil }

    /// - Parameter present: the representation as it is in the moment of the change; nil where there is nothing.
    package func holds(for present: [UInt8]?) -> Bool {
        let tag = present.map { EntityTag(of: $0) }
        let matches = match.map { match in tag.map(match.contains(exactly:)) ?? false } ?? true
        let differs = noneMatch.map { none in tag.map { !none.contains($0) } ?? true } ?? true
        return matches && differs
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
