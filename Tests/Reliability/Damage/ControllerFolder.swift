import Glibc
import Processes
import SiteSupport
import SQLite
import Store
import TestSupport
import WireProtocol

/// The data folder of a controller that tests do harm to and then start a controller on.
final class ControllerFolder: Sendable {
    enum Attempt: Equatable {
        case runs
        /// With its one sentence on standard error.
        case refused(String)

        var sentence: String {
            switch self {
            case .runs: ""
            case .refused(let sentence): sentence
            }
        }
    }

    let scratch: ScratchFolder
    var data: String { scratch.file("data") }

    /// A controller that has been in use and was stopped in order.
    /// - Parameter empty: leaves out the controller.
    init(empty: Bool = false) async throws {
        scratch = try ScratchFolder("controller")
        if empty { return }
        let made = try await command("init", ["--key-file", scratch.file("key")])
        guard made.succeeded else { throw SetupFailure("init: \(made.errorText)") }
        try await StoreFilling.fill("\(data)/controller.sqlite", services: 20)
    }

    func read(_ name: String) throws -> [UInt8] { try scratch.read("data/\(name)") }
    func write(_ bytes: [UInt8], to name: String) throws { try scratch.write(bytes, to: "data/\(name)") }
    func remove(_ name: String) { unlink("\(data)/\(name)") }

    /// Every file but the lock, by name, with its bytes.
    /// - Parameter logs: also the write-ahead log and its index, which to look at makes.
    func files(logs: Bool = true) throws -> [String: [UInt8]] {
        guard let listing = opendir(data) else { throw SetupFailure("no folder \(data)") }
        defer { closedir(listing) }
        var files: [String: [UInt8]] = [:]
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard entry.pointee.d_type == UInt8(DT_REG), name != "lock",
                logs || !name.contains("sqlite-")
            else { continue }
            files[name] = try read(name)
        }
        return files
    }

    func command(_ name: String, _ arguments: [String] = [], launcher: [String] = []) async throws -> ProcessOutcome {
        let words = launcher + [try Programs.path("innkeeper-controller"), name, "--data", data] + arguments
        return try await Child.run(ProcessRequest(words[0], Array(words.dropFirst()), deadline: .seconds(120)))
    }

    /// Starts a controller, and stops it as soon as it has started.
    /// - Parameter whileRunning: called before the stop.
    func attempt(
        launcher: [String] = [], kill: Bool = false, whileRunning: () async throws -> Void = {}
    ) async throws -> Attempt {
        let log = scratch.file("log-\(Int.random(in: 0 ..< .max))")
        let words =
            launcher + [
                try Programs.path("innkeeper-controller"), "serve", "--data", data, "--api", "127.0.0.1:0",
                "--agents", "127.0.0.1:0",
            ]
        let program = try BackgroundProgram(words[0], Array(words.dropFirst()), log: log)
        @Sendable func sentence() -> String? {
            program.output.split(separator: "\n").first { $0.hasPrefix("innkeeper-controller: ") }.map(String.init)
        }
        let isKnown = await eventually(within: .seconds(60)) {
            program.output.contains("controller starts") || sentence() != nil
        }
        if sentence() == nil, isKnown { try await whileRunning() }
        if kill { program.signal(SIGKILL) }
        await program.stop()
        guard isKnown else { throw SetupFailure("no sign of a start: \(program.output)") }
        return sentence().map { .refused($0) } ?? .runs
    }
}
