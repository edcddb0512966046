import APIModels

/// What people call services, for lists that have only their ids. One that cannot be read keeps its id.
struct Names: Sendable {
    private var services: [String: String] = [:]

    /// Looks up at the controller what is named in a list.
    static func of(services ids: [String?], _ controller: Controller) async -> Names {
        var names = Names()
        let wanted = Set(ids.compactMap(\.self)).prefix(200)
        names.services = await withTaskGroup(of: (String, String?).self) { group in
            var found: [String: String] = [:]
            var rest = wanted.makeIterator()
            func next() {
                guard let id = rest.next() else { return }
                group.addTask { (id, await name(ofService: id, controller)) }
            }
            for _ in 0..<8 { next() }
            while let (id, name) = await group.next() {
                found[id] = name
                next()
            }
            return found
        }
        return names
    }

    static func name(ofService id: String, _ controller: Controller) async -> String? {
        (try? await controller.get("/api/v1/services/\(PercentEncoding.encode(id))") as Service)?.externalID
    }

    /// Nil where it has no name.
    func knownService(_ id: String?) -> String? { id.flatMap { services[$0] } }

    func service(_ id: String?) -> String? { id.map { services[$0] ?? $0 } }
}
