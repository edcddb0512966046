import Glibc
import SimulatedFleet

/// `innkeeper-bench PROGRAMS [fleet|agent|guests|sagas]…`: prints one JSON line for each figure.
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
        guard !words.isEmpty else {
            throw FleetFailure("usage: innkeeper-bench FOLDER-OF-PROGRAMS [fleet] [agent] [guests] [sagas]")
        }
        let programs = words.removeFirst()
        let wanted = words.isEmpty ? ["agent", "fleet", "guests", "sagas"] : words
        if wanted.contains("agent") { try await AgentBench(programs: programs).run() }
        if wanted.contains("guests") { try await GuestBench().run() }
        if wanted.contains("sagas") { try await SagaBench().run() }
        if wanted.contains("fleet") { try await FleetBench(programs: programs).run() }
    }
}

/// One figure as one JSON line on standard output.
func report(_ bench: String, _ figures: [(String, Double)]) {
    let body = figures.map { name, value in
        let rounded = (value * 1000).rounded() / 1000
        return "\"\(name)\":\(rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)")"
    }
    print("{\"bench\":\"\(bench)\",\(body.joined(separator: ","))}")
    fflush(nil)
}
