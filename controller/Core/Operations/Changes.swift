package import WireProtocol

extension JSONValue {
    /// What differs between two objects, for the audit log: `{"memory_bytes": {"from": 1, "to": 2}}`; a side that has no such
    /// member is left out.
    package static func changes(_ before: JSONObject, _ after: JSONObject) -> JSONValue {
        var changes: JSONObject = [:]
        for key in Set(before.keys).union(after.keys).sorted() where before[key] != after[key] {
            var change: JSONObject = [:]
            change["from"] = before[key]
            change["to"] = after[key]
            changes[key] = .object(change)
        }
        return .object(changes)
    }

    static func changes(_ before: [String: String], _ after: [String: String]) -> JSONValue {
        changes(JSONObject.strings(before), JSONObject.strings(after))
    }
}

extension JSONObject {
    fileprivate static func strings(_ members: [String: String]) -> JSONObject {
        JSONValue.strings(members).asObject ?? [:]
    }
}

extension JSONObject {
    /// The values of `other` over these; objects are merged, all else is replaced.
    package func merged(with other: JSONObject) -> JSONObject {
        var result = self
        for member in other.members {
            if case .object(let inner) = member.value, case .object(let outer)? = result[member.key] {
                result[member.key] = .object(outer.merged(with: inner))
            } else {
                result[member.key] = member.value
            }
        }
        return result
    }
}

extension JSONValue {
    /// An object of strings, in the order of the keys.
    package static func strings(_ values: [String: String]) -> JSONValue {
        .object(JSONObject(values.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }
}

extension FieldError {
    /// The description without the path in front.
    package var sentence: String { String(description.dropFirst(path.count + 1)) }
}
