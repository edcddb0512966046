package import DriverKit
import Glibc
import Model
import Synchronization
package import WireProtocol

extension DockerDriver {
    package func facts() async -> JSONObject {
        guard let information = try? await engine.call("GET", "/info", timeout: .seconds(10)) else { return [:] }
        var facts: JSONObject = [:]
        let names = [
            ("ServerVersion", "version"), ("Driver", "storage_driver"), ("CgroupVersion", "cgroup_version"),
            ("NCPU", "cpus"), ("MemTotal", "memory_bytes"), ("Images", "images"), ("ContainersRunning", "running"),
            ("Architecture", "architecture"), ("DockerRootDir", "root"),
        ]
        for (theirs, ours) in names { facts[ours] = information[theirs] }
        let folders = rights.mountRoots.compactMap { FolderRoom(path: $0)?.json }
        if !folders.isEmpty { facts["folders"] = .array(folders) }
        return facts
    }

    package func inventory() async throws(DriverError) -> [InventoryItem] {
        // By them the controller knows which plans can be placed here.
        let networks = try await networks().filter { Grammar.containerName.accepts($0.name) }.map { network in
            InventoryItem(resource: "docker/network/\(network.name)", state: ["driver": .string(network.driver)])
        }
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: true)
        }
        // What an abandoned order has made is nobody's. It is removed when the engine tells of it, not by a look.
        return entries.filter { !creations.isLate($0) }.map {
            InventoryItem(resource: "docker/\($0.name)", state: $0.observed)
        } + networks
    }

    package func sample(into batch: inout SampleBatch) async {
        for container in await roster.running() {
            guard let reading = container.reading else { continue }
            let name = "container/\(container.name)"
            batch.append("\(name).cpu.seconds", Double(reading.cpu) / 1_000_000_000)
            batch.append("\(name).memory.used", Double(reading.memory))
            batch.append("\(name).processes", reading.processes.map(Double.init))
            guard container.countsNetwork else { continue }
            batch.append("\(name).network.received", reading.received.map(Double.init))
            batch.append("\(name).network.sent", reading.sent.map(Double.init))
        }
    }

    package func usage() async -> [UsageCounter] {
        await roster.running().flatMap { container -> [UsageCounter] in
            guard let reading = container.reading else { return [] }
            let meters = [
                ("cpu_ms", reading.cpu / 1_000_000), ("network_rx_bytes", reading.received),
                ("network_tx_bytes", reading.sent),
            ]
            return meters.compactMap { meter, value in
                value.map {
                    UsageCounter(
                        subject: "docker/\(container.name)", meter: meter, epoch: container.epoch, value: $0)
                }
            }
        }
    }
}

extension ContainerReading {
    var observed: JSONObject {
        var object: JSONObject = ["cpu_ms": .integer(cpu / 1_000_000), "memory_used_bytes": .integer(memory)]
        object["processes"] = processes.map { .integer($0) }
        object["network_rx_bytes"] = received.map { .integer($0) }
        object["network_tx_bytes"] = sent.map { .integer($0) }
        return object
    }
}

/// The containers that run, remembered between samples: the engine is asked again only after something changed, or
/// after a while.
actor ContainerRoster {
    struct Member: Sendable {
        var id: String
        var name: String
        var pid: Int64
        var countsNetwork: Bool
        var epoch: String

        /// Nil once the container has ended.
        var reading: ContainerReading? { ContainerReading(pid: pid, id: id, countsNetwork: countsNetwork) }
    }

    private static let lifetime = Duration.seconds(60)
    private let engine: Engine
    private var members: [Member] = []
    private var readAt: ContinuousClock.Instant?
    /// How long a sample waits for the engine. Containers go on without it, and so does their measuring.
    private static let patience = Duration.seconds(1)

    init(_ engine: Engine) {
        self.engine = engine
    }

    /// Something changed: the next look asks the engine.
    func forget() { readAt = nil }

    /// In the order of their names. While the engine does not answer, what was known.
    func running() async -> [Member] {
        if let readAt, readAt + Self.lifetime > .now { return members }
        readAt = .now
        let (answer, answered) = AsyncStream<Void>.makeStream()
        let limit = Task {
            try? await Task.sleep(for: Self.patience)
            answered.finish()
        }
        Task {
            await look()
            answered.finish()
        }
        for await _ in answer {}
        limit.cancel()
        return members
    }

    private func look() async {
        guard let entries = try? await engine.containers(all: false) else { return }
        var found: [Member] = []
        for entry in entries {
            if let known = members.first(where: { $0.id == entry.id && $0.name == entry.name }), known.reading != nil {
                found.append(known)
            } else if let value = try? await engine.call("GET", "/containers/\(entry.id)/json"),
                let state = ContainerState(value), state.isRunning
            {
                found.append(
                    Member(
                        id: state.id, name: state.name, pid: state.pid, countsNetwork: state.network != "host",
                        epoch: state.epoch))
            }
        }
        members = found.sorted { $0.name < $1.name }
    }
}

/// The room of a folder that the node's owner has given to services.
private struct FolderRoom {
    let json: JSONValue

    init?(path: String) {
        var room = statvfs()
        guard statvfs(path, &room) == 0 else { return nil }
        func bytes(_ blocks: fsblkcnt_t) -> JSONValue {
            let (bytes, overflow) = UInt64(blocks).multipliedReportingOverflow(by: UInt64(room.f_frsize))
            return .integer(overflow ? .max : Int64(clamping: bytes))
        }
        json = ["path": .string(path), "total_bytes": bytes(room.f_blocks), "available_bytes": bytes(room.f_bavail)]
    }
}
