import DockerDriver
import DriverKit
import Processes
import WireProtocol

/// A SWAG that was found.
struct Installation: Sendable {
    /// Nil for an nginx outside of containers.
    var container: DockerDriver.Neighbour?
    /// The folder of the node that is `/config` within.
    var folder: String

    /// The same folder as nginx sees it.
    var home: String { container == nil ? folder : "/config" }
    var isRunning: Bool { container?.isRunning ?? true }
}

extension SwagDriver {
    /// - Throws: `notFound` where there is none, `conflict` where there are several and no name was given.
    func installation() async throws(DriverError) -> Installation {
        switch access {
        case .command(_, let folder): return Installation(container: nil, folder: folder)
        case .container(let docker, let name):
            let found = try await docker.neighbours { Self.fits($0, $1, name) }
            let running = found.filter(\.isRunning)
            let candidates = running.isEmpty ? found : running
            guard let container = candidates.first else {
                throw DriverError(.notFound, "there is no SWAG container on this node")
            }
            guard candidates.count == 1 else {
                let names = candidates.map(\.name).sorted().joined(separator: ", ")
                throw DriverError(
                    .conflict, "there are several SWAG containers: \(names); the node's configuration must name one")
            }
            guard let folder = container.mounts["/config"] else {
                throw DriverError(.conflict, "container \(container.name) has no folder of the node at /config")
            }
            return Installation(container: container, folder: folder)
        }
    }

    /// `lscr.io/linuxserver/swag:2.11`, with any registry and tag.
    static func fits(_ name: String, _ image: String, _ wanted: String?) -> Bool {
        if let wanted { return name == wanted }
        let path = image.prefix { $0 != "@" }.split(separator: "/")
        guard let last = path.last?.split(separator: ":").first else { return false }
        return last == "swag" && path.count >= 2 && path[path.count - 2] == "linuxserver"
    }

    /// An nginx command, with both outputs in one.
    func nginx(
        _ words: [String], at place: Installation, _ context: ActionContext
    ) async throws(DriverError) -> (code: Int64, text: String) {
        switch access {
        case .container(let docker, _):
            guard let container = place.container, container.isRunning else {
                throw DriverError(
                    .unavailable,
                    "container \(place.container?.name ?? "swag") does not run, so nothing can be checked",
                    retryable: true)
            }
            do throws(DriverError) {
                let answer = try await docker.ask(container.name, ["nginx"] + words, context)
                return (answer.exitCode, answer.text)
            } catch {
                let isGone = error.code == .notFound
                throw isGone
                    ? DriverError(.unavailable, "container \(container.name) does not run", retryable: true) : error
            }
        case .command(let command, _): return try await Self.run(command + words)
        }
    }

    private static func run(_ words: [String]) async throws(DriverError) -> (code: Int64, text: String) {
        let request = ProcessRequest(words[0], Array(words.dropFirst()), deadline: .seconds(30), outputLimit: 64 << 10)
        let outcome: ProcessOutcome
        do { outcome = try await Child.run(request) } catch {
            if error == .cancelled { throw DriverError(.cancelled, "broken off") }
            throw DriverError(.unavailable, "nginx cannot be started", cause: "\(error)")
        }
        let text = outcome.errorText + outcome.outputText
        switch (outcome.ended, outcome.exit) {
        case (.itself, .code(let code)): return (Int64(code), text)
        case (.itself, .signal(let number)): return (128 + Int64(number), text)
        case (.deadline, _): throw DriverError(.timedOut, "nginx did not answer in time", cause: shortened(text))
        case (.cancelled, _): throw DriverError(.cancelled, "broken off", cause: shortened(text))
        }
    }

    static func shortened(_ text: String) -> String? {
        let lines = text.split(whereSeparator: \.isNewline).suffix(8).joined(separator: "; ")
        var shown = String.UnicodeScalarView()
        for scalar in lines.unicodeScalars.suffix(1000) {
            shown.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        return shown.isEmpty ? nil : String(shown)
    }
}
