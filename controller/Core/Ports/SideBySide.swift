/// Does the same with many, some at a time: one that takes long holds up no other. Throws the first error, and calls the others
/// off.
package func sideBySide<Item: Sendable>(
    _ items: [Item], atMost limit: Int, _ body: @escaping @Sendable (Item) async throws -> Void
) async throws {
    var left = items[...]
    try await withThrowingTaskGroup { group in
        for item in left.prefix(limit) { group.addTask { try await body(item) } }
        left = left.dropFirst(limit)
        while try await group.next() != nil {
            if let item = left.popFirst() { group.addTask { try await body(item) } }
        }
    }
}
