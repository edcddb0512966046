package import Processes
package import TestSupport

/// What the engines themselves say, asked without the product.
package struct Engines: Sendable {
    package let docker: String
    package let zfs: ZFSFuse
    /// The real tool, beside the gate.
    package let tool: String

    package struct Container: Sendable, Equatable {
        package var name: String
        package var state: String
        package var memoryBytes: Int64
        /// Host paths that it mounts.
        package var mounts: [String]
    }

    /// All containers that carry the mark of a service; of every service without one.
    package func containers(of service: String? = nil) async throws -> [Container] {
        let filter = "label=innkeeper.service" + (service.map { "=\($0)" } ?? "")
        let ids = try await engine("ps", "--all", "--quiet", "--no-trunc", "--filter", filter)
        var containers: [Container] = []
        for id in ids.split(separator: "\n") {
            let format = "{{.Name}} {{.State.Status}} {{.HostConfig.Memory}}{{range .Mounts}} {{.Source}}{{end}}"
            let words = try await engine("inspect", "--format", format, String(id)).split { $0.isWhitespace }
            guard words.count >= 3, let memory = Int64(words[2]) else { throw SetupFailure("inspect: \(words)") }
            containers.append(
                Container(
                    name: String(words[0].dropFirst()), state: String(words[1]), memoryBytes: memory,
                    mounts: words.dropFirst(3).map(String.init)))
        }
        return containers
    }

    /// Runs a command in a service's container.
    package func execute(in service: String, _ words: String...) async throws -> ProcessOutcome {
        try await run(["exec", service] + words)
    }

    /// File systems and snapshots whose name has the service's id in it.
    package func datasets(of service: String) async throws -> [String] {
        let outcome = try await zfs.command(
            tool, "list", "-H", "-o", "name", "-t", "filesystem,snapshot", "-r", zfs.pool)
        guard outcome.succeeded else { throw SetupFailure("zfs list: \(outcome.errorText)") }
        return outcome.outputText.split(separator: "\n").map(String.init).filter { $0.contains(service) }.sorted()
    }

    package func property(_ name: String, of dataset: String) async throws -> String {
        let outcome = try await zfs.command(tool, "get", "-Hp", "-o", "value", name, dataset)
        guard outcome.succeeded else { throw SetupFailure("zfs get: \(outcome.errorText)") }
        return String(outcome.outputText.dropLast())
    }

    private func engine(_ words: String...) async throws -> String {
        let outcome = try await run(words)
        guard outcome.succeeded else { throw SetupFailure("docker \(words): \(outcome.errorText)") }
        return outcome.outputText
    }

    private func run(_ words: [String]) async throws -> ProcessOutcome {
        try await Child.run(
            ProcessRequest("docker", ["--host", "unix://\(docker)"] + words, deadline: .seconds(120)))
    }
}
