import Glibc
import Processes
import TestSupport

/// The soft limit of open descriptors of a process that runs, changed from outside.
struct DescriptorLimit: Sendable {
    let pid: Int32

    /// Sets it while the body runs, and then back to the hard limit.
    func hold(at count: Int, _ body: () async throws -> Void) async throws {
        try await set("\(count)")
        do {
            try await body()
        } catch {
            try await lift()
            throw error
        }
        try await lift()
    }

    private func lift() async throws {
        let shown = try await run("--nofile", "--output", "HARD", "--noheadings")
        try await set(shown.filter(\.isNumber))
    }

    private func set(_ soft: String) async throws { _ = try await run("--nofile=\(soft):") }

    private func run(_ words: String...) async throws -> String {
        let outcome = try await Child.run(
            ProcessRequest("prlimit", ["--pid", "\(pid)"] + words, deadline: .seconds(30)))
        guard outcome.succeeded else { throw SetupFailure("prlimit: \(outcome.errorText)") }
        return outcome.outputText
    }
}

extension ProcessFigures {
    /// What a process has spent so far: user and system time.
    static func processorTime(of pid: Int32) throws -> Duration {
        guard let file = fopen("/proc/\(pid)/stat", "r") else { throw SetupFailure("process \(pid) is gone") }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 2048)
        let count = fread(&bytes, 1, bytes.count, file)
        let fields = String(decoding: bytes[..<count], as: UTF8.self).drop { $0 != ")" }.split(separator: " ")
        guard fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13]) else {
            throw SetupFailure("stat: \(fields)")
        }
        return .milliseconds((user + system) * 1000 / sysconf(Int32(_SC_CLK_TCK)))
    }
}
