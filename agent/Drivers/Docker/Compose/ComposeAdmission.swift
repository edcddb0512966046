import DriverKit
import Model
import WireProtocol

/// Whether a file may run on this node, by what it says.
extension DockerDriver {
    /// Does `work` with a file that the tool has filled in, while nobody else gets what could lead its mounts elsewhere.
    func admitting<Value>(
        _ file: ComposeFile, _ project: String, _ work: () async throws(DriverError) -> Value
    ) async throws(DriverError) -> Value {
        try await claims.holding(placed(file.binds(isFilledIn: true))) { () async throws(DriverError) in
            try await self.check(file, project, isFilledIn: true)
            return try await work()
        }
    }

    /// - Parameter isFilledIn: whether the tool has put the variables in.
    /// - Throws: `permissionDenied` with every wish that this node refuses.
    func check(_ file: ComposeFile, _ project: String, isFilledIn: Bool) async throws(DriverError) {
        var findings = file.findings(project: project, isFilledIn: isFilledIn)
        for name in file.joinedNetworks where try await isHostNetwork(name) {
            findings.append(ComposeFinding(risk: .hostNetwork, place: "network \(name.printable(limit: 100))"))
        }
        let binds = file.binds(isFilledIn: isFilledIn)
        for bind in binds { if let finding = try await finding(of: bind, project) { findings.append(finding) } }
        // The project's own containers count too: they write until they are replaced, and volumes stay when it is down.
        if let problem = try await entanglement(of: placed(binds)) {
            findings.append(
                ComposeFinding(risk: .binds, place: "\(problem); if it is the project's own, take it down first"))
        }
        let allowed = compose.settings.allows
        let refused = findings.filter { finding in finding.risk.map { !allowed.contains($0) } ?? true }
        guard refused.isEmpty else {
            throw DriverError(
                .permissionDenied, "the file asks for what this node does not allow",
                cause: refused.prefix(20).map(\.text).joined(separator: "; "))
        }
    }

    private func placed(_ binds: [ComposeBind]) -> [PlacedBind] {
        let table = rights.mounts()
        return binds.map { PlacedBind($0.bind, table) }
    }

    /// The project's own data is its own, without links on the way: its containers could have made one.
    private func finding(of bind: ComposeBind, _ project: String) async throws(DriverError) -> ComposeFinding? {
        let (source, data) = (bind.bind.source, folder(project).data)
        guard Grammar.absolutePath.accepts(source) else { return ComposeFinding(risk: .binds, place: bind.place) }
        if source.lies(in: data) {
            return Self.isPlain(source, in: data)
                ? nil : ComposeFinding(risk: nil, place: "\(bind.place), which leads elsewhere")
        }
        var rights = rights
        rights.allows = compose.settings.allows
        switch try await rights.standing(of: source, for: project) {
        case .free:
            // The tool hands the path on as it stands, and the engine follows links on it at each start.
            let isPlain = ([""] + rights.mountRoots).contains { Self.isPlain(source, in: $0) }
            return isPlain ? nil : ComposeFinding(risk: .binds, place: "\(bind.place), which is a link's name for it")
        case .closed(let reason): return ComposeFinding(risk: .binds, place: "\(bind.place): \(reason)")
        case .never(let reason): return ComposeFinding(risk: nil, place: "\(bind.place), but \(reason)")
        }
    }

    /// Whether there is no link on the way from the folder to the path; how the folder is reached is its owner's.
    private static func isPlain(_ source: String, in folder: String) -> Bool {
        guard folder.isEmpty || source.lies(in: folder) else { return false }
        let real = folder.isEmpty ? "" : NodePath.real(folder) ?? folder
        return NodePath.real(source) == real + source.dropFirst(folder.count)
    }
}
