import DriverKit
import Processes
import Synchronization
import WireProtocol
import YAML

/// Compose's command line: the plugin of the docker CLI, or docker-compose 1.29.
struct ComposeTool: Sendable {
    /// First words: `docker compose` or `docker-compose`.
    let words: [String]
    /// `2.29.1`, `1.29.2`.
    let version: String
    /// Prints its configuration as JSON, and takes newer options.
    var isPlugin: Bool { !version.hasPrefix("1.") }
    var schema: YAMLSchema { isPlugin ? .goYAML : .pyYAML }

    /// The configuration that it printed: YAML before there was a choice.
    func tree(_ text: String) -> JSONValue? {
        isPlugin ? try? JSONParser.parse(text, limits: .local) : try? YAMLReader.read(text, as: schema)
    }

    /// Asks each that may be there for its version. A docker CLI without the plugin fails in its own way.
    static func find(_ given: [String]?) async throws(DriverError) -> ComposeTool {
        for words in given.map({ [$0] }) ?? [["docker", "compose"], ["docker-compose"]] {
            let request = ProcessRequest(
                words[0], Array(words.dropFirst()) + ["version", "--short"], deadline: .seconds(20),
                outputLimit: 4096)
            let outcome: ProcessOutcome
            do { outcome = try await Child.run(request) } catch {
                if error == .cancelled { throw DriverError(.cancelled, "broken off") }
                continue
            }
            guard outcome.ended != .cancelled else { throw DriverError(.cancelled, "broken off") }
            let text = String(outcome.outputText.drop { $0 == "v" }.prefix { $0.isNumber || $0 == "." })
            if outcome.succeeded, text.contains(".") { return ComposeTool(words: words, version: text) }
        }
        throw DriverError(
            .unavailable, "neither docker compose nor docker-compose works on this node", retryable: false)
    }
}

/// Remembers the tool that was found.
final class ComposeToolbox: Sendable {
    private let given: [String]?
    private let found = Mutex<ComposeTool?>(nil)

    init(_ given: [String]?) { self.given = given }

    func tool() async throws(DriverError) -> ComposeTool {
        if let tool = found.withLock({ $0 }) { return tool }
        let tool = try await ComposeTool.find(given)
        found.withLock { $0 = tool }
        return tool
    }
}
