import DriverKit
import Model
import WireProtocol

/// What a container may have of the node, before anything is made.
extension DockerDriver {
    /// Does `work` with the order as it may be: with the real paths of what it mounts, which nobody else gets meanwhile. The
    /// engine has to know the container, or not to make it any more, when `work` ends.
    /// - Throws: `permissionDenied` when it asks for what the node's owner has not allowed.
    func admitting<Value>(
        _ spec: ContainerSpec, _ work: (ContainerSpec) async throws(DriverError) -> Value
    ) async throws(DriverError) -> Value {
        try await checkNetwork(spec.network)
        let spec = try await resolved(spec)
        let table = rights.mounts()
        let binds = spec.mounts.map { PlacedBind(NodeBind(source: $0.source, isReadOnly: $0.isReadOnly), table) }
        return try await claims.holding(binds) { () async throws(DriverError) in
            if let problem = try await self.entanglement(of: binds, besides: { $0.name == spec.name }) {
                try self.refuse(problem, unless: .binds)
            }
            return try await work(spec)
        }
    }

    private func resolved(_ spec: ContainerSpec) async throws(DriverError) -> ContainerSpec {
        var spec = spec
        for place in spec.mounts.indices {
            let source = spec.mounts[place].source
            switch try await rights.standing(of: source, for: spec.owner) {
            case .free: break
            case .closed(let reason): try refuse("mounts[\(place)].source \(source): \(reason)", unless: .binds)
            case .never(let reason):
                throw DriverError(
                    .permissionDenied, "mounts[\(place)].source: \(source) may not be mounted into a container",
                    cause: reason)
            }
            guard let real = NodePath.real(source), ProcessFiles.exists(real) else {
                throw .invalidArgument("source", "\(source): there is no such file or folder")
            }
            spec.mounts[place].source = real
        }
        return spec
    }

    /// Whether a container that was made may be started for the first time: an engine that hung may have made it after its
    /// mounts had been given to another.
    func checkFirstStart(_ state: ContainerState) async throws(DriverError) {
        let isOpen = rights.allows.contains(.binds)
        guard state.status == "created", state.hasMounts, !isOpen else { return }
        let table = rights.mounts()
        let binds = try await containers().filter { $0.id == state.id }.flatMap(\.binds).map { PlacedBind($0, table) }
        if let problem = try await entanglement(of: binds, besides: { $0.id == state.id }) {
            try refuse(problem, unless: .binds)
        }
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
        of binds: [PlacedBind], besides isSelf: (ContainerEntry) -> Bool = { _ in false }
    ) async throws(DriverError) -> String? {
        guard !binds.isEmpty else { return nil }
        let table = rights.mounts()
        let others = try await boundPlaces(besides: isSelf)
        return Self.entanglement(of: binds, binds)
            ?? Self.entanglement(of: binds, others.map { PlacedBind($0, table) })
    }

    /// What of the node containers are to see, running or not.
    func boundPlaces(
        besides isSelf: (ContainerEntry) -> Bool = { _ in false }
    ) async throws(DriverError) -> [NodeBind] {
        // A volume that is a folder of the node is written to by whoever mounts it next.
        let volumes = try await volumes().compactMap(\.folder).map { NodeBind(source: $0, isReadOnly: false) }
        return try await containers().filter { !isSelf($0) }.flatMap(\.binds) + volumes
    }

    private func containers() async throws(DriverError) -> [ContainerEntry] {
        try await engine.doing { () throws(EngineError) -> [ContainerEntry] in try await engine.containers(all: true) }
    }

    private static func entanglement(of binds: [PlacedBind], _ others: [PlacedBind]) -> String? {
        for bind in binds {
            for other in others {
                guard let (above, below) = PlacedBind.entangled(bind, other) else { continue }
                return "mount of \(below.source): it lies in \(above.source), which a container can write to; "
                    + "mount \(above.source) itself, or a folder beside it"
            }
        }
        return nil
    }
}
