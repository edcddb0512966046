import APIModels
import HTTP
import Store
import Transport

/// The place in a list where a page ended, as opaque text that is good for that list only.
enum Cursor {
    /// - Parameter list: the name of the list.
    static func text(_ place: String, list: String) -> String {
        Crypto.base64url(Array("\(list)\n\(place)".utf8))
    }

    static func place(_ text: String, list: String) throws(Problem) -> String {
        let parts = Crypto.bytes(base64url: text)
            .flatMap { String(validating: $0, as: UTF8.self) }?
            .split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard let parts, parts.count == 2, parts[0] == list else {
            throw Problem(.invalidField, "the cursor is not one that this list gave out", field: "cursor")
        }
        return String(parts[1])
    }
}

extension APICall {
    /// Which part of `list` is asked for: `limit` (1 to 500, 100 without) and `cursor`.
    func pageRequest(_ list: String, order: PageRequest.Order = .ascending) throws(Problem) -> PageRequest {
        let limit = try query.integer("limit", 1...Int64(PageRequest.maximum)) ?? 100
        var after: String?
        if let cursor = query["cursor"] { after = try Cursor.place(cursor, list: list) }
        return PageRequest(after: after, limit: Int(limit), order: order)
    }
}

extension Page {
    /// The page as the API shows it.
    func view<View: Codable & Sendable>(_ list: String, _ transform: (Item) -> View) -> Listing<View> {
        Listing(items: items.map(transform), next: next.map { Cursor.text($0, list: list) })
    }
}
