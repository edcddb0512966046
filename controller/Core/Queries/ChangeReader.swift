package import APIModels
import Store

/// What changes, as it changes, as far as one viewer may know of it. It keeps its place, and nothing else.
package struct ChangeReader: Sendable {
    /// A change, or that some were missed, and the place behind it.
    package struct News: Sendable {
        package let notice: ChangeNotice
        package let place: String
        package var isMissed: Bool { notice.kind == Change.Kind.missed.rawValue }
    }

    private let queries: Queries
    private let history: ChangeHistory
    private let kinds: Set<Change.Kind>
    private var place: Int
    private var isBehind: Bool
    /// Whether services are the viewer's. A service never changes its customer.
    private var services: [String: Bool] = [:]
    private static let servicesKept = 1024

    /// Changes without a subject that could be anybody's.
    private static let secret: Set<Change.Kind> = [.key, .audit]
    private static let customers: Set<Change.Kind> = [.service, .operation, .operationLog, .finding]

    init(_ queries: Queries, _ history: ChangeHistory, after last: String?, kinds: Set<Change.Kind>) {
        (self.queries, self.history) = (queries, history)
        var allowed = Set(Change.Kind.allCases)
        // Keys and the audit log are not for everyone who may look.
        if !queries.viewer.scopes.contains(.admin) { allowed.subtract(Self.secret) }
        if queries.viewer.customer != nil { allowed.formIntersection(Self.customers) }
        self.kinds = kinds.isEmpty ? allowed : kinds.intersection(allowed)
        let known = last.flatMap { history.number(of: $0, isSealed: queries.viewer.customer != nil) }
        place = known ?? history.end
        // A place in another run: what happened since then is not known here.
        isBehind = last != nil && known == nil
    }

    package mutating func read() async throws(CoreError) -> [News] {
        if isBehind {
            isBehind = false
            return [missed]
        }
        while true {
            switch history.read(after: place) {
            case .missed(let upTo):
                place = upTo
                return [missed]
            case .changes(let changes, let upTo):
                let start = place
                var news: [News] = []
                for (offset, change) in changes.enumerated() where try await isWanted(change) {
                    news.append(News(notice: notice(change), place: text(start + offset + 1)))
                }
                place = upTo
                // Nothing for this reader among them: there may be more behind.
                if !news.isEmpty || changes.isEmpty { return news }
            }
        }
    }

    private mutating func isWanted(_ change: Change) async throws(CoreError) -> Bool {
        guard kinds.contains(change.kind) else { return false }
        guard queries.viewer.customer != nil else { return true }
        guard let id = change.service else { return false }
        if let known = services[id] { return known }
        let viewer = queries.viewer
        let isSeen = try await queries.read { store throws(StoreError) in try store.isSeen(service: id, by: viewer) }
        if services.count >= Self.servicesKept { services.removeAll() }
        services[id] = isSeen
        return isSeen
    }

    private func notice(_ change: Change) -> ChangeNotice {
        ChangeNotice(
            kind: change.kind.rawValue, id: change.id, service: change.service,
            node: queries.viewer.customer == nil ? change.node : nil)
    }

    private var missed: News {
        News(notice: ChangeNotice(kind: Change.Kind.missed.rawValue, id: ""), place: text(place))
    }

    private func text(_ number: Int) -> String {
        history.place(number, isSealed: queries.viewer.customer != nil)
    }
}

extension ChangeHistory {
    /// A place as a reader gets it. Numbers count everybody's changes, which is nothing for a customer: his are sealed.
    fileprivate func place(_ number: Int, isSealed: Bool) -> String {
        "\(run)-\(isSealed ? seal.text(UInt64(number)) : String(number))"
    }

    fileprivate func number(of place: String, isSealed: Bool) -> Int? {
        let parts = place.split(separator: "-", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[0] == run else { return nil }
        let number = isSealed ? seal.number(parts[1]).flatMap { Int(exactly: $0) } : Int(parts[1])
        return number.flatMap { $0 >= 0 ? $0 : nil }
    }
}

extension Queries {
    /// The kinds of changes that there are.
    package static var changeKinds: [String] { Change.Kind.allCases.map(\.rawValue) }

    /// - Parameters:
    ///   - place: the last that the reader has seen.
    ///   - kinds: the only ones that are wanted; none for all.
    package func changes(
        in history: ChangeHistory, after place: String?, kinds: [String]
    ) throws(CoreError) -> ChangeReader {
        try viewer.require(.read)
        var wanted: Set<Change.Kind> = []
        for name in kinds {
            guard let kind = Change.Kind(rawValue: name) else {
                throw .invalid(field: "kind", problem: "names no kind of change: \(name)")
            }
            wanted.insert(kind)
        }
        return ChangeReader(self, history, after: place, kinds: wanted)
    }
}
