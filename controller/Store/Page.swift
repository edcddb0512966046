import SQL

/// Which part of a list is wanted.
package struct PageRequest: Sendable, Hashable {
    package enum Order: Sendable, Hashable { case ascending, descending }

    /// `next` of the page before, nil for the first page.
    package var after: String?
    /// 1...500.
    package var limit: Int
    /// By id, and so by time of making, for ids that the controller made.
    package var order: Order

    package static let maximum = 500

    package init(after: String? = nil, limit: Int = 100, order: Order = .ascending) {
        self.after = after
        self.limit = min(max(limit, 1), Self.maximum)
        self.order = order
    }
}

/// A part of a list.
package struct Page<Item: Sendable>: Sendable {
    package var items: [Item]
    /// Where the next page starts, nil when this was the last.
    package var next: String?
}

extension Page: Equatable where Item: Equatable {}

extension Store {
    /// One page of a table, ordered by `column`. One row more than asked for tells whether there is another page.
    func page<Row: Record>(
        _ type: Row.Type, by column: String = "id", _ conditions: Conditions, _ request: PageRequest,
        cursor: (Row) -> String
    ) throws(StoreError) -> Page<Row> {
        var conditions = conditions
        let ascending = request.order == .ascending
        if let after = request.after { conditions.add("\(column) \(ascending ? ">" : "<") ?", [after]) }
        let rest = "\(conditions.sql) ORDER BY \(column) \(ascending ? "ASC" : "DESC") LIMIT ?"
        let rows = try select(type, rest, conditions.values + [request.limit + 1])
        let items = Array(rows.prefix(request.limit))
        return Page(items: items, next: rows.count > request.limit ? items.last.map(cursor) : nil)
    }
}
