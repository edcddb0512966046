/// One page of a list. Ask again with `cursor=next` for the following one; no `next`, no more.
package struct Listing<Item: Codable & Sendable>: Codable, Sendable {
    package var items: [Item]
    /// Opaque: hand it back unchanged.
    package var next: String?

    package init(items: [Item], next: String? = nil) {
        self.items = items
        self.next = next
    }
}
