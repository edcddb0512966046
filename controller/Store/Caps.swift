package import WireProtocol

// How much of what somebody else says is kept. A cut is always to be seen.

extension String {
    /// The whole text, or its beginning with an ellipsis, in at most `limit` bytes.
    package func capped(to limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: max(0, limit - 3))
        // Not within a character.
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end]) + "…"
    }
}

extension JSONObject {
    /// The object, or what is left without its largest members, in about `limit` bytes. The names of those that are
    /// missing stand under `truncated`.
    package func capped(to limit: Int) -> JSONObject {
        guard text.utf8.count > limit else { return self }
        // What the names of the missing may take.
        let (reserve, room) = (min(256, limit / 4), limit - min(256, limit / 4))
        var (kept, missing, used): (JSONObject, [String], Int) = ([:], [], 2)
        let sized = members.map { (size: JSONObject([($0.key, $0.value)]).text.utf8.count, member: $0) }
        for (size, member) in sized.sorted(by: { $0.size < $1.size }) {
            guard used + size <= room else {
                missing.append(member.key)
                continue
            }
            used += size
            kept[member.key] = member.value
        }
        kept["truncated"] = .string(missing.joined(separator: ", ").capped(to: max(reserve - 24, 8)))
        return kept
    }
}
