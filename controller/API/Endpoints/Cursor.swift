import APIModels
import ControllerCore
import HTTP
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
    /// The part of `list` that is asked for: `limit` (1 to 500, 100 without) and `cursor`.
    func page<View: Codable & Sendable>(
        _ list: String, _ read: (ListPart) async throws -> Listing<View>
    ) async throws -> Answer {
        let limit = try query.integer("limit", 1...QueryParameter.pageLimit) ?? 100
        var after: String?
        if let cursor = query["cursor"] { after = try Cursor.place(cursor, list: list) }
        var listing = try await read(ListPart(after: after, limit: Int(limit)))
        listing.next = listing.next.map { Cursor.text($0, list: list) }
        return try .model(listing)
    }
}
