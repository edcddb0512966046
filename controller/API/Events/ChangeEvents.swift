import ControllerCore
import HTTP

/// Every change that the caller may know of: `event: change` with kind and id, or `event: missed` when some were lost.
struct ChangeEvents: EventSource {
    var reader: ChangeReader

    mutating func read() async throws -> (events: [ServerEvent], isOver: Bool) {
        let news = try await reader.read()
        return (
            try news.map { try ServerEvent($0.isMissed ? "missed" : "change", id: $0.place, $0.notice) }, false
        )
    }
}
