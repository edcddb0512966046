import APIModels
import Model
import SiteSupport
import Synchronization
import TestSupport
import Testing

/// Watches the live agent and the controller while peers attack, and tells afterwards whether anybody noticed.
struct Witness: Sendable {
    let ground: Ground
    private let node: String
    private let began = Timestamp.now()
    private let before: ProcessFigures
    private let pid: Int32
    let log: LogReader

    init(_ ground: Ground) throws {
        self.ground = ground
        node = try ground.site.node()
        pid = try ground.controllerPID
        before = try ProcessFigures(of: pid)
        log = LogReader(ground.folder.file("controller-log/life-1.log"))
    }

    /// Attacks, and expects the live agent and the controller to be as before.
    /// - Parameters:
    ///   - working: a service is made and ended meanwhile.
    ///   - growth: by how many bytes the controller's own memory may grow at its peak.
    static func watch(
        working: Bool = false, growth: Int = 64 << 20, at location: SourceLocation = #_sourceLocation,
        _ attack: (Ground, LogReader) async throws -> Void
    ) async throws {
        let ground = try Ground.current
        let witness = try Witness(ground)
        let peak = PeakMemory(of: witness.pid)
        let work = Task { if working { try await witness.work() } }
        do {
            try await attack(ground, witness.log)
        } catch {
            _ = await work.result
            throw error
        }
        try await work.value
        let grown = await peak.stop() - witness.before.memory
        #expect(grown <= growth, "the controller grew by \(grown >> 20) MiB", sourceLocation: location)
        try await witness.testify(location)
    }

    /// A service from its order to its end.
    private func work() async throws {
        let accepted = try await ground.site.create(ground.name("meanwhile"), plan: "witness")
        let service = try #require(accepted.service?.id)
        let ended = try await ground.front.ended(accepted.operation.id)
        #expect(ended.state == "succeeded", "\(ended.error?.message ?? "")")
        try await ground.site.terminate(service)
    }

    private func testify(_ location: SourceLocation) async throws {
        #expect(try ground.controllerPID == pid, sourceLocation: location)
        let state = try await ground.front.get("/api/v1/nodes/\(node)", as: Node.self).state
        #expect(state == "connected", sourceLocation: location)
        let lines = log.lines
        let losses = lines.filter { line in
            line.contains(node)
                && ["link to node lost", "node unreachable", "agent said goodbye"].contains { line.contains($0) }
        }
        #expect(losses.isEmpty, "the live agent was cut off: \(losses)", sourceLocation: location)
        let foreign = lines.first { !$0.hasPrefix("time=20") || !$0.contains(" level=") }
        #expect(foreign == nil, "a line that the controller did not write: \(foreign ?? "")", sourceLocation: location)
        try await expectSamples(location)
        let isBack = await eventually(within: .seconds(90)) {
            (try? ProcessFigures(of: pid)).map { $0.descriptors <= before.descriptors + 4 } ?? false
        }
        let now = try ProcessFigures(of: pid).descriptors
        #expect(isBack, "\(before.descriptors) descriptors before, \(now) after", sourceLocation: location)
    }

    /// Samples come twice a second; none that the agent took is missing.
    private func expectSamples(_ location: SourceLocation) async throws {
        let end = Timestamp.now()
        let path = "/api/v1/nodes/\(node)/metrics?name=host.load.1&step=1000&from=\(began.milliseconds)"
        let range: MetricRange = try await ground.front.until("\(path)&to=\(end.milliseconds + 1000)") { range in
            range.series.first?.points.last.map { $0.milliseconds > end.milliseconds - 3000 } ?? false
        }
        let times = range.series.flatMap(\.points).map(\.milliseconds)
        let longest = zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? 0
        #expect(longest <= 5000, "no sample for \(longest) ms", sourceLocation: location)
    }
}

/// The most memory that a process holds over a time.
private struct PeakMemory {
    private let peak: Task<Int, Never>

    init(of pid: Int32) {
        peak = Task {
            var peak = 0
            while true {
                if let figures = try? ProcessFigures(of: pid) { peak = max(peak, figures.memory) }
                if Task.isCancelled { return peak }
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    func stop() async -> Int {
        peak.cancel()
        return await peak.value
    }
}
