import DriverKit
import Model
import WireProtocol

/// What a container may have of the node, before anything is made.
extension DockerDriver {
    /// The same order with the real paths of what it mounts.
    /// - Throws: `permissionDenied` when it asks for what the node's owner has not allowed.
    func admitted(_ spec: ContainerSpec) async throws(DriverError) -> ContainerSpec {
        try await checkNetwork(spec.network)
        var spec = spec
        for place in spec.mounts.indices {
            let source = spec.mounts[place].source
            switch try await rights.standing(of: source, for: spec.owner) {
            case .free: break
            case .closed(let reason): try refuse("mount of \(source): \(reason)", unless: .binds)
            case .never(let reason):
                throw DriverError(
                    .permissionDenied, "\(source) may not be mounted into a container", cause: reason)
            }
            guard let real = NodePath.real(source), ProcessFiles.exists(real) else {
                throw .invalidArgument("source", "\(source): there is no such file or folder")
            }
            spec.mounts[place].source = real
        }
        let binds = spec.mounts.map { NodeBind(source: $0.source, isReadOnly: $0.isReadOnly) }
        if !binds.isEmpty, let problem = try await entanglement(of: binds, besides: { $0.name == spec.name }) {
            try refuse(problem, unless: .binds)
        }
        return spec
    }

    private func refuse(_ wanted: String, unless risk: ComposeRisk) throws(DriverError) {
        guard !rights.allows.contains(risk) else { return }
        throw DriverError(
            .permissionDenied, "the container asks for what this node does not allow",
            cause: "\(wanted) (\(risk.rawValue))")
    }

    func checkNetwork(_ name: String) async throws(DriverError) {
        guard !rights.allows.contains(.hostNetwork), try await isHostNetwork(name) else { return }
        try refuse("network \(name)", unless: .hostNetwork)
    }

    /// Whether it is the node's own under one of its names: the engine takes the beginning of an id for one, too.
    func isHostNetwork(_ name: String) async throws(DriverError) -> Bool {
        // What has no place in a path is no network of the engine either: it will say so.
        guard !["none", "bridge"].contains(name), Grammar.containerName.accepts(name) else { return false }
        if name == "host" { return true }
        do {
            return NetworkState(try await engine.call("GET", "/networks/\(name)"))?.driver == "host"
        } catch {
            if error.isMissing { return false }
            throw error.driverError
        }
    }

    /// Why one of these mounts could be led elsewhere by what writes around it, or could itself lead another.
    func entanglement(
        of binds: [NodeBind], besides isSelf: (ContainerEntry) -> Bool
    ) async throws(DriverError) -> String? {
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: true)
        }
        return Self.entanglement(of: binds)
            ?? Self.entanglement(of: binds, entries.filter { !isSelf($0) }.flatMap(\.binds))
    }

    static func entanglement(of binds: [NodeBind], _ others: [NodeBind]? = nil) -> String? {
        for bind in binds {
            for other in others ?? binds {
                let (outer, inner) = other.leads(bind) ? (other, bind) : (bind, other)
                guard outer.leads(inner) else { continue }
                return "mount of \(inner.source): it lies in \(outer.source), which a container can write to"
            }
        }
        return nil
    }
}
