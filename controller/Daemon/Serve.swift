import ArgumentParser
import DaemonKit
import Glibc
import Logging
import Model
import Store
import WireProtocol

/// `serve`: the controller itself.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the controller until it is told to stop.")

    @OptionGroup var location: DataOption
    @Option(name: .long, help: "A JSON file of settings.")
    var config: String?
    @Option(name: .long, help: "Where the API listens (default 127.0.0.1:8443).")
    var api: String?
    @Option(name: .long, help: "Where agents are awaited (default 127.0.0.1:7443).")
    var agents: String?

    func run() async throws {
        do {
            Daemon.closeToOthers()
            let configuration = try settings()
            try StateFiles.requireController(in: location.data)
            let directory = try DataDirectory(location.data)
            DescriptorLimit.raise()
            let level = configuration.logLevel
            LoggingSystem.bootstrap { LogfmtHandler(label: $0, level: level) }
            let composition = try await Composition(configuration, StateFiles(directory))
            try await composition.run()
            withExtendedLifetime(directory) {}
        } catch let error as StoreError {
            throw fail("\(error)\(advice(on: error))")
        } catch {
            throw fail("\(error)")
        }
    }

    /// What to do when the store cannot be opened. Nothing was written to it.
    private func advice(on error: StoreError) -> String {
        switch error {
        case .corrupt, .missing, .notAStore:
            "; nothing was changed. Bring in a backup: innkeeper-controller restore --data \(location.data) FILE"
        case .full, .readOnly: "; give it room or the right to write, then start again"
        default: ""
        }
    }

    private func settings() throws -> ServeConfiguration {
        var configuration = try config.map { try ServeConfiguration.read($0) } ?? ServeConfiguration()
        do throws(FieldError) {
            if let api { configuration.api = try Address(api, key: "--api") }
            if let agents { configuration.agents = try Address(agents, key: "--agents") }
        } catch { throw ConfigurationError(message: "\(error)") }
        return configuration
    }
}
