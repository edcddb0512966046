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

    /// What differs between two specifications. Variables hold passwords: of them the names alone.
    static func specChanges(_ before: JSONObject, _ after: JSONObject) -> JSONValue {
        var changes = changes(before, after).asObject ?? [:]
        if changes["env"] != nil {
            let (old, new) = (before["env"]?.asObject ?? [:], after["env"]?.asObject ?? [:])
            let names = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted()
            changes["env"] = .array(names.map { .string($0) })
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
