package import Model
package import WireProtocol

/// A value from a closed list, named in JSON by its raw string.
package protocol Choice: RawRepresentable<String>, CaseIterable, Codable, Sendable, Hashable {}

extension Choice {
    package init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        guard let choice = Self(rawValue: name) else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw BodyError(
                field: FieldName.path(decoder.codingPath),
                problem: "must be one of \(known), not \"\(name.prefix(60))\"")
        }
        self = choice
    }
}

/// Times are ISO 8601 text in UTC with milliseconds: `2026-11-21T08:15:00.000Z`.
extension Timestamp: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let time = Timestamp(iso8601: text) else {
            throw BodyError(
                field: FieldName.path(decoder.codingPath), problem: "must be a time such as 2026-11-21T08:15:00.000Z")
        }
        self = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(iso8601)
    }
}

/// JSON of any shape inside a model. Only `BodyEncoder` and `BodyDecoder` carry it, and they pass it through untouched.
extension JSONValue: Codable {
    package init(from decoder: any Decoder) throws {
        guard let level = decoder as? DecodingLevel else {
            throw BodyError(field: FieldName.path(decoder.codingPath), problem: "can be read by BodyDecoder only")
        }
        self = level.value
    }

    package func encode(to encoder: any Encoder) throws {
        guard let level = encoder as? EncodingLevel else {
            throw BodyError(field: FieldName.path(encoder.codingPath), problem: "can be written by BodyEncoder only")
        }
        level.finish = { self }
    }
}
