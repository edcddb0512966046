import WireProtocol

/// Results that the controller has not acknowledged.
struct UntoldResults {
    private static let looksLimit = 256

    /// Of commands that only look, which have no receipt: the newest, since a lost one can be asked for again.
    private(set) var looks: [CommandResult] = []
    /// Of commands with a receipt, those that were told in this session.
    private var told: Set<String> = []

    func look(_ id: String) -> CommandResult? { looks.first { $0.id == id } }

    mutating func keep(_ result: CommandResult) {
        looks.append(result)
        if looks.count > Self.looksLimit { looks.removeFirst() }
    }

    /// The result of a receipt was told.
    mutating func tell(_ id: String) { told.insert(id) }

    /// Another session: nothing was told in it.
    mutating func beginSession() { told = [] }

    /// Returns those that were told and have a receipt.
    mutating func acknowledged(_ ids: [String]) -> Set<String> {
        looks.removeAll { ids.contains($0.id) }
        return Set(ids.filter { told.remove($0) != nil })
    }
}
