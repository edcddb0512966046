package import DriverKit
import Synchronization
import WireProtocol

/// What drivers of things that live in containers ask of this one.
extension DockerDriver {
    package struct Neighbour: Sendable, Hashable {
        package let name: String
        package let image: String
        package let isRunning: Bool
        /// Folders of the node by their place in the container.
        package let mounts: [String: String]
        /// Names of user-defined networks.
        package let networks: Set<String>
    }

    package struct Answer: Sendable, Hashable {
        package let exitCode: Int64
        /// Both outputs, the first 64 KiB.
        package let text: String
    }

    /// Containers whose image fits.
    package func neighbours(
        _ fits: @Sendable (_ name: String, _ image: String) -> Bool
    ) async throws(DriverError) -> [Neighbour] {
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: true)
        }
        var found: [Neighbour] = []
        for entry in entries where fits(entry.name, entry.image) {
            let value: JSONValue
            do { value = try await engine.call("GET", "/containers/\(entry.id)/json") } catch {
                if error.isMissing { continue }
                throw error.driverError
            }
            let mounts = (value["Mounts"]?.asArray ?? []).compactMap { mount -> (String, String)? in
                guard let target = mount["Destination"]?.asString, let source = mount["Source"]?.asString else {
                    return nil
                }
                return (target, source)
            }
            found.append(
                Neighbour(
                    name: entry.name, image: value["Config"]?["Image"]?.asString ?? entry.image,
                    isRunning: entry.state == "running", mounts: Dictionary(mounts) { first, _ in first },
                    networks: Self.userNetworks(value)))
        }
        return found
    }

    /// Names by which containers answer in one of these networks: their own and their aliases.
    package func names(in networks: Set<String>) async throws(DriverError) -> Set<String> {
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: true)
        }
        var names: Set<String> = []
        for entry in entries where !networks.isDisjoint(with: entry.networks) {
            names.insert(entry.name)
            guard let value = try? await engine.call("GET", "/containers/\(entry.id)/json") else { continue }
            for member in value["NetworkSettings"]?["Networks"]?.asObject?.members ?? []
            where networks.contains(member.key) {
                names.formUnion((member.value["Aliases"]?.asArray ?? []).compactMap(\.asString))
            }
        }
        return names
    }

    private static func userNetworks(_ value: JSONValue) -> Set<String> {
        Set(value["NetworkSettings"]?["Networks"]?.asObject?.keys ?? []).subtracting(["bridge", "host", "none"])
    }

    /// Runs a short command in a running container.
    package func ask(
        _ container: String, _ command: [String], _ context: ActionContext
    ) async throws(DriverError) -> Answer {
        let kept = Mutex<[UInt8]>([])
        let inner = ActionContext(commandID: context.commandID, logger: context.logger) { _, bytes in
            kept.withLock { $0 += bytes.prefix(max(0, 64 << 10 - $0.count)) }
        }
        let outcome = try await perform(
            ActionCall(
                action: "container.exec", resource: "docker/\(container)",
                arguments: ["name": .string(container), "command": .array(command.map { .string($0) })]), inner)
        return Answer(
            exitCode: outcome.observed["exit_code"]?.asInteger ?? -1,
            text: kept.withLock { String(decoding: $0, as: UTF8.self) })
    }
}
