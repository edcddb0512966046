import Glibc
package import Processes
import TestSupport

/// The built programs, beside the test bundle that this process has loaded.
package enum Programs {
    package static let folder = Result { try found() }

    package static func path(_ name: String) throws -> String {
        let path = "\(try folder.get())/\(name)"
        guard access(path, X_OK) == 0 else { throw SetupFailure("\(path) is not built") }
        return path
    }

    /// Runs one to its end.
    package static func run(
        _ name: String, _ arguments: [String], environment: [String: String] = [:], input: String = ""
    ) async throws -> ProcessOutcome {
        try await Child.run(
            ProcessRequest(
                path(name), arguments, environment: environment, standardInput: .bytes(Array(input.utf8)),
                deadline: .seconds(180)))
    }

    private static func found() throws -> String {
        guard let maps = fopen("/proc/self/maps", "r") else { throw SetupFailure("/proc is missing") }
        defer { fclose(maps) }
        var line = [CChar](repeating: 0, count: 8192)
        while fgets(&line, Int32(line.count), maps) != nil {
            let text = String(
                decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasSuffix(".xctest"), let start = text.firstIndex(of: "/"),
                let end = text.lastIndex(of: "/")
            else { continue }
            return String(text[start..<end])
        }
        throw SetupFailure("no test bundle is loaded")
    }
}
