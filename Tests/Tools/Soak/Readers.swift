import HTTPFetch
import SimulatedFleet
import TestSupport

/// People and programs that look: lists, figures, metrics, event streams that come and go.
struct Readers: Sendable {
    let site: Site
    let crowd: Crowd
    let pace: Pace
    let findings: Findings

    private static let paths = [
        "/api/v1/nodes?limit=100", "/api/v1/services?limit=100", "/api/v1/services?terminated=true&limit=50",
        "/api/v1/operations?limit=50", "/api/v1/audit?limit=50", "/api/v1/plans", "/api/v1/keys", "/metrics",
        "/openapi.json", "/healthz", "/readyz",
    ]

    /// One question after another until it is cancelled.
    func ask(seed: UInt64) async throws {
        var numbers = SeededGenerator(seed: seed)
        while !Task.isCancelled {
            try await Task.sleep(for: pace.reads)
            let node = crowd.agents.randomElement(using: &numbers)?.id ?? ""
            let measured = [
                "/api/v1/nodes/\(node)", "/api/v1/nodes/\(node)/metrics", "/api/v1/nodes/\(node)/metrics/latest",
                "/api/v1/nodes/\(node)/metrics/names",
            ]
            guard let path = (Self.paths + measured + measured).randomElement(using: &numbers) else { continue }
            await ask(path)
        }
    }

    private func ask(_ path: String) async {
        let age = site.controller.age
        do {
            let status = try await site.front.send("GET", path).status
            findings.count("API reads")
            // A node may have been removed between the choice and the question.
            if status >= 400, status != 404 { findings.breach("GET \(path) answers \(status)") }
        } catch {
            guard age > .seconds(10), site.controller.age >= age else { return }
            findings.breach("GET \(path) got no answer: \(error)")
        }
    }

    /// One event stream after another until it is cancelled. Some readers are slow.
    func follow(seed: UInt64) async throws {
        var numbers = SeededGenerator(seed: seed)
        while !Task.isCancelled {
            let time = numbers.seconds(1...40)
            let pause = Bool.random(using: &numbers) ? Duration.zero : .seconds(2)
            try? await site.front.stream("/api/v1/events", for: min(time, pace.length * 0.1), pause: pause)
            findings.count("event streams")
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
