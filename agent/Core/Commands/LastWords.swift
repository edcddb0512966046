import DriverKit

/// What commands said that ended while nobody listened. The controller sends every command again that it has no result of:
/// then they are told, and the result after them. Bounded; the oldest go first.
struct LastWords {
    private static let limit = 32

    private var kept: [(id: String, window: OutputWindow)] = []

    func holds(_ id: String) -> Bool { kept.contains { $0.id == id } }

    mutating func keep(_ id: String, _ window: OutputWindow) {
        guard window.isUnheard else { return }
        kept.append((id, window))
        if kept.count > Self.limit { kept.removeFirst() }
    }

    /// The pieces of a command, as far as the credit goes.
    mutating func take(_ id: String, credit: Int) -> [OutputWindow.Chunk] {
        guard let place = kept.firstIndex(where: { $0.id == id }) else { return [] }
        var window = kept.remove(at: place).window
        window.attach(credit: credit)
        return window.take()
    }

    /// Nobody has asked for them.
    mutating func forget() -> [String] {
        defer { kept = [] }
        return kept.map(\.id)
    }
}
