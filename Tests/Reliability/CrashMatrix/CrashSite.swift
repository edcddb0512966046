import Glibc
import Processes
import SQL
import SQLite
import SiteSupport
import Synchronization
import TestSupport
import WireProtocol

/// A site whose daemons have traps, and somebody who starts again what has died.
final class CrashSite: Sendable {
    let site: Site
    let traps: [Victim: Trap]
    private let deaths = Mutex(0)

    /// So quiet that the durable writes are those of the work.
    static func start(checkpoint: Int? = nil) async throws -> CrashSite {
        let traps = Mutex<[Victim: Trap]>([:])
        let site = try await Site.start(
            configuration: ["sample_ms": 3_600_000, "inventory_ms": 86_400_000, "log_level": "info"]
        ) { site in
            for victim in Victim.allCases {
                let trap = try await Trap(watching: site.folder.file(victim.rawValue))
                site.daemon(victim).wrap(in: trap.wrapper(checkpoint: checkpoint))
                traps.withLock { $0[victim] = trap }
            }
        }
        return CrashSite(site, traps.withLock { $0 })
    }

    private init(_ site: Site, _ traps: [Victim: Trap]) { (self.site, self.traps) = (site, traps) }

    func stop() async { await site.stop() }

    /// Runs `body` while every daemon that dies is started again, its trap unarmed. Returns how many have died.
    func supervised<Value: Sendable>(
        _ body: () async throws -> Value
    ) async throws -> (value: Value, deaths: Int) {
        deaths.withLock { $0 = 0 }
        let supervisor = Task { try await supervise() }
        let value: Result<Value, any Error>
        do { value = .success(try await body()) } catch { value = .failure(error) }
        supervisor.cancel()
        try await supervisor.value
        return (try value.get(), deaths.withLock { $0 })
    }

    /// Waits until a daemon has died and runs again; false when none does.
    func hasDied(within limit: Duration) async -> Bool {
        await eventually(within: limit) { self.deaths.withLock { $0 } > 0 }
    }

    private func supervise() async throws {
        while !Task.isCancelled {
            for (victim, trap) in traps where trap.hasSprung {
                trap.watch()
                try await site.daemon(victim).restart()
                deaths.withLock { $0 += 1 }
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    func disarm() {
        for trap in traps.values { trap.disarm() }
    }

    /// The engine loses a container without anybody's order.
    func removeContainer(of service: String) async throws {
        let outcome = try await Child.run(
            ProcessRequest(
                "docker", ["--host", "unix://\(site.docker.socket)", "rm", "--force", service], deadline: .seconds(60)))
        guard outcome.succeeded else { throw SetupFailure("docker rm: \(outcome.errorText)") }
    }

    /// What engines have been made to do since the first `count` of the effects; refusals change nothing.
    func effects(after count: Int) throws -> [String] {
        try site.gate.effects.dropFirst(count).filter { effect in
            effect.hasPrefix("docker")
                ? effect.split(separator: " ").last?.hasPrefix("2") == true : effect.hasSuffix(" 0")
        }.sorted()
    }

    /// Commands that either side has not brought to an end, by now or soon.
    func openCommands() async throws -> [String] {
        _ = try await eventually { try self.openNow().isEmpty }
        return try openNow()
    }

    private func openNow() throws -> [String] {
        try rows("agent/journal.sqlite", "SELECT id || ' ' || state FROM receipts WHERE acknowledged IS NULL")
            + rows("controller/controller.sqlite", "SELECT id || ' ' || state FROM commands WHERE finished_at IS NULL")
    }

    private func rows(_ file: String, _ sql: String) throws -> [String] {
        let database = try SQLiteDatabase(
            path: site.folder.file(file), options: SQLiteOptions(access: .readOnly))
        defer { database.close() }
        return try database.query(sql) { (row) throws(SQLError) in try row.text() }
    }
}

extension Site {
    func daemon(_ victim: Victim) -> Daemon { victim == .agent ? agent : controller }
}
