/// The JSON name of a Swift property: `externalID` is `external_id`, `memoryBytes` is `memory_bytes`.
package enum FieldName {
    /// Lower snake case; a run of capitals counts as one word.
    package static func json(_ property: String) -> String {
        var name = ""
        var previousIsCapital = true
        for character in property {
            if character.isUppercase, !previousIsCapital { name.append("_") }
            previousIsCapital = character.isUppercase
            name.append(contentsOf: character.lowercased())
        }
        return name
    }

    /// `plan.env.HOME`, `mounts[2].source`; the empty string for the body itself.
    static func path(_ keys: [any CodingKey]) -> String {
        var path = ""
        for key in keys {
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += path.isEmpty ? key.stringValue : "." + key.stringValue
            }
        }
        return path
    }
}

/// A key of a JSON object as it stands on the wire, or an index into an array.
struct FieldKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ name: String) {
        stringValue = name
        intValue = nil
    }

    init(index: Int) {
        stringValue = String(index)
        intValue = index
    }

    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { self.init(index: intValue) }
}
