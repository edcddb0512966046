import SQL

/// `WHERE` from the parts that are given, with their values in order.
struct Conditions {
    private(set) var parts: [String] = []
    private(set) var values: [any SQLBindable] = []

    mutating func equal(_ column: String, _ value: (any SQLBindable)?) {
        guard let value else { return }
        add("\(column) = ?", [value])
    }

    mutating func among(_ column: String, _ words: [String]?) {
        guard let words else { return }
        guard !words.isEmpty else { return add("1 = 0", []) }
        add("\(column) IN (\(words.map { _ in "?" }.joined(separator: ", ")))", words)
    }

    /// Of one of this customer's services.
    mutating func belongs(to customer: String) {
        add("service IN (SELECT id FROM services WHERE customer = ?)", [customer])
    }

    mutating func add(_ part: String, _ more: [any SQLBindable]) {
        parts.append(part)
        values += more
    }

    var sql: String { parts.isEmpty ? "" : "WHERE " + parts.joined(separator: " AND ") }
}
