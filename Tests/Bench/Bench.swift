import Glibc

/// `innkeeper-bench PROGRAMS [fleet|agent]…`: prints one JSON line for each figure.
@main
struct Bench {
    static func main() async {
        do { try await run() } catch {
            let line = Array("innkeeper-bench: \(error)\n".utf8)
            _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            exit(1)
        }
    }

    private static func run() async throws {
        var words = Array(CommandLine.arguments.dropFirst())
        guard !words.isEmpty else { throw BenchError("usage: innkeeper-bench FOLDER-OF-PROGRAMS [fleet] [agent]") }
        let programs = words.removeFirst()
        let wanted = words.isEmpty ? ["agent", "fleet"] : words
        if wanted.contains("agent") { try await AgentBench(programs: programs).run() }
        if wanted.contains("fleet") { try await FleetBench(programs: programs).run() }
    }
}
