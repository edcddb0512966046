import Dispatch
import DriverKit
import Glibc

/// One change of the panel at a time on this machine, whoever makes it.
///
/// `clpctl` itself takes no lock, and two of it spoil each other's work: both give a PHP site the port after the
/// highest. A lock on a file keeps agents apart, a look at the table of processes keeps them from an operator's `clpctl`
/// and from one that an earlier agent has left behind. What the panel's web pages do at the same time is seen by nobody.
struct PanelGate: Sendable {
    let places: PanelPlaces
    /// How long to wait for others before the call is given up as `busy`.
    let patience: Duration

    func pass<Value: Sendable>(
        _ work: () async throws(DriverError) -> Value
    ) async throws(DriverError) -> Value {
        let file = try await enter()
        // Closing lets go of the lock; so does the end of this process.
        defer { close(file) }
        return try await work()
    }

    private func enter() async throws(DriverError) -> Int32 {
        let end = ContinuousClock.now + patience
        let file = try openLock()
        do throws(DriverError) {
            while flock(file, LOCK_EX | LOCK_NB) != 0 {
                try await pause(until: end, "another agent works on the panel")
            }
            while let other = await others() {
                try await pause(until: end, "clpctl \(other.command) is running (process \(other.pid))")
            }
        } catch {
            close(file)
            throw error
        }
        return file
    }

    private func openLock() throws(DriverError) -> Int32 {
        let folder = places.lock.split(separator: "/").dropLast().joined(separator: "/")
        try Files.makeFolder("/\(folder)", mode: 0o755)
        let file = open(places.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .cannotWrite(places.lock) }
        return file
    }

    private func pause(until end: ContinuousClock.Instant, _ reason: String) async throws(DriverError) {
        guard ContinuousClock.now < end else { throw DriverError(.busy, reason) }
        guard (try? await Task.sleep(for: .milliseconds(50))) != nil else {
            throw DriverError(.cancelled, "cancelled before anything was done", cause: reason)
        }
    }

    private func others() async -> PanelCaller? {
        let callers = places.callers
        return await withCheckedContinuation { done in
            DispatchQueue.global().async { done.resume(returning: PanelCaller.first(of: callers)) }
        }
    }
}

/// A process that runs the panel's tool to change something.
struct PanelCaller: Sendable, Hashable {
    let pid: Int32
    /// The tool's command, `site:add:php`; never its options, which hold passwords.
    let command: String

    /// What tenants may call as well, for hours if they like: they do not keep the agent from its work.
    private static let small: Set<String> = [
        "db:export", "db:import", "system:permissions:reset", "varnish-cache:purge",
    ]

    /// The first process of this account that has one of the programs among its first words.
    static func first(of programs: Set<String>) -> PanelCaller? {
        for name in Files.names(in: "/proc") {
            guard let pid = Int32(name), pid != getpid(), isOurs(pid) else { continue }
            let words = Files.bytes("/proc/\(pid)/cmdline")?.split(separator: 0).prefix(8) ?? []
            let texts = words.map { String(decoding: $0, as: UTF8.self) }
            guard let place = texts.firstIndex(where: programs.contains), place + 1 < texts.count else { continue }
            let command = texts[place + 1]
            if command.contains(":") && !small.contains(command) { return PanelCaller(pid: pid, command: command) }
        }
        return nil
    }

    /// A tenant can give a process of his own any words.
    private static func isOurs(_ pid: Int32) -> Bool {
        var status = stat()
        return stat("/proc/\(pid)", &status) == 0 && status.st_uid == geteuid()
    }
}
