import DriverKit
import Model
import WireProtocol

/// Whether a file may run on this node, by what it says.
extension DockerDriver {
    /// - Parameter isFilledIn: whether the tool has put the variables in.
    /// - Throws: `permissionDenied` with every wish that this node refuses.
    func check(_ file: ComposeFile, _ project: String, isFilledIn: Bool) async throws(DriverError) {
        var findings = file.findings(project: project, isFilledIn: isFilledIn)
        for name in file.joinedNetworks where try await isHostNetwork(name) {
            findings.append(ComposeFinding(risk: .hostNetwork, place: "network \(name.printable(limit: 100))"))
        }
        let binds = file.binds(isFilledIn: isFilledIn)
        for bind in binds { if let finding = try await finding(of: bind, project) { findings.append(finding) } }
        if !binds.isEmpty,
            let problem = try await entanglement(of: binds.map(\.bind), besides: { $0.project == project })
        {
            findings.append(ComposeFinding(risk: .binds, place: problem))
        }
        let allowed = compose.settings.allows
        let refused = findings.filter { finding in finding.risk.map { !allowed.contains($0) } ?? true }
        guard refused.isEmpty else {
            throw DriverError(
                .permissionDenied, "the file asks for what this node does not allow",
                cause: refused.prefix(20).map(\.text).joined(separator: "; "))
        }
    }

    /// The project's own data is its own, without links on the way: its containers could have made one.
    private func finding(of bind: ComposeBind, _ project: String) async throws(DriverError) -> ComposeFinding? {
        let (source, data) = (bind.bind.source, folder(project).data)
        guard Grammar.absolutePath.accepts(source) else { return ComposeFinding(risk: .binds, place: bind.place) }
        if source.lies(in: data) {
            let real = NodePath.real(data) ?? data
            let isPlain = NodePath.real(source).map { $0 == real + source.dropFirst(data.count) } ?? false
            return isPlain ? nil : ComposeFinding(risk: nil, place: "\(bind.place), which leads elsewhere")
        }
        var rights = rights
        rights.allows = compose.settings.allows
        switch try await rights.standing(of: source, for: project) {
        case .free: return nil
        case .closed: return ComposeFinding(risk: .binds, place: bind.place)
        case .never(let reason): return ComposeFinding(risk: nil, place: "\(bind.place), but \(reason)")
        }
    }
}
