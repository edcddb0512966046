import APIModels
import HTTP
import Store

/// Every change of the store: `event: change` with kind and id, or `event: missed` when some were lost.
struct ChangeEvents: EventSource {
    private let history: ChangeHistory
    private let kinds: Set<Change.Kind>?
    private var place: Int
    private var isBehind: Bool

    /// - Parameters:
    ///   - last: the id of the last event that the reader saw.
    ///   - kinds: the kinds that are wanted; nil for all.
    init(_ history: ChangeHistory, after last: String?, kinds: Set<Change.Kind>?) {
        self.history = history
        self.kinds = kinds
        let parts = last?.split(separator: "-").map(String.init) ?? []
        if parts.count == 2, parts[0] == history.run, let place = Int(parts[1]), place >= 0 {
            self.place = place
            isBehind = false
        } else {
            place = history.end
            // A place in another run: what happened since then is not known here.
            isBehind = last != nil
        }
    }

    mutating func read() async throws -> (events: [ServerEvent], isOver: Bool) {
        if isBehind {
            isBehind = false
            return ([try event("missed", ChangeNotice(kind: "missed", id: ""))], false)
        }
        while true {
            switch history.read(after: place) {
            case .missed(let upTo):
                place = upTo
                return ([try event("missed", ChangeNotice(kind: "missed", id: ""))], false)
            case .changes(let changes, let upTo):
                let start = place
                place = upTo
                var events: [ServerEvent] = []
                for (offset, change) in changes.enumerated() where isWanted(change) {
                    let notice = ChangeNotice(
                        kind: change.kind.rawValue, id: change.id, service: change.service, node: change.node)
                    events.append(try event("change", notice, at: start + offset + 1))
                }
                // Nothing for this reader among them: there may be more behind.
                if !events.isEmpty || changes.isEmpty { return (events, false) }
            }
        }
    }

    private func isWanted(_ change: Change) -> Bool { kinds.map { $0.contains(change.kind) } ?? true }

    private func event(_ name: String, _ notice: ChangeNotice, at place: Int? = nil) throws -> ServerEvent {
        try ServerEvent(name, id: "\(history.run)-\(place ?? self.place)", notice)
    }
}
