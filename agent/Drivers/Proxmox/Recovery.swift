package import DriverKit
import Model
import Synchronization
import WireProtocol

/// Containers whose making was given up, in this life of the agent or an earlier one: what is half made of them is ours to
/// remove, as soon as nothing works on it any more.
final class AbandonedCreations: Sendable {
    private struct State {
        var commands: [Int: String] = [:]
        var times: [Int: ContinuousClock.Instant] = [:]
        var removing: Set<Int> = []
    }

    private let state = Mutex(State())

    /// The command that began to make the container, by the container's id.
    var commands: [Int: String] { state.withLock(\.commands) }

    func add(_ vmid: Int, _ command: String) {
        state.withLock { state in
            state.commands[vmid] = command
            state.times[vmid] = .now
        }
    }

    /// Forgets it when enough time has gone by for its tool, which may be slow to begin.
    func forgetAbsent(_ vmid: Int) {
        state.withLock { state in
            if state.times[vmid].map({ $0 + Self.lifetime < .now }) ?? true { state.commands[vmid] = nil }
        }
    }

    private static let lifetime = Duration.seconds(600)

    /// The container is somebody's again, or gone.
    func forget(_ vmid: Int) { state.withLock { $0.commands[vmid] = nil } }

    func isRemoving(_ vmid: Int) -> Bool { state.withLock { $0.removing.contains(vmid) } }

    /// Whoever gets true removes it, and calls `end` afterwards.
    func begin(_ vmid: Int) -> Bool { state.withLock { $0.removing.insert(vmid).inserted } }

    func end(_ vmid: Int, isGone: Bool) {
        state.withLock { state in
            state.removing.remove(vmid)
            if isGone { state.commands[vmid] = nil }
        }
    }
}

extension ProxmoxDriver {
    private static let makers: Set<String> = ["container.create", "container.clone", "container.restore"]
    private static let lookInterval = Duration.seconds(10)
    /// What a killed tool's worker gets to come to its own end before an answer is given.
    private static let workerPatience = Duration.seconds(15)

    package func recover(_ abandoned: [AbandonedCommand]) async {
        for command in abandoned where Self.makers.contains(command.action) {
            guard let vmid = Self.vmid(ofResource: command.resource) else { continue }
            abandonedCreations.add(vmid, command.id)
        }
    }

    /// Removes what abandoned creations have left, each as soon as its worker has ended, and what removals have left on
    /// storages that were away.
    package func events(_ emit: @escaping @Sendable (DriverEvent) -> Void) async {
        var nextSearch = ContinuousClock.now
        while !Task.isCancelled {
            for (vmid, command) in abandonedCreations.commands where await sweep(vmid) == .removed {
                emit(
                    DriverEvent(
                        time: .now(), resource: "proxmox/ct/\(vmid)", kind: "container.half_made_removed",
                        data: ["command": .string(command)]))
            }
            if .now >= nextSearch {
                for (vmid, volumes) in await sweepLeftovers() {
                    emit(
                        DriverEvent(
                            time: .now(), resource: "proxmox/ct/\(vmid)", kind: "container.leftover_removed",
                            data: ["volumes": .array(volumes.map { .string($0) })]))
                }
                nextSearch = .now + Self.leftoverInterval
            }
            try? await Task.sleep(for: Self.lookInterval)
        }
    }

    enum Sweep { case removed, nothing, later }

    func sweep(_ vmid: Int) async -> Sweep {
        guard let (isBusy, found) = try? await files.aside({ ($0.isBusy(vmid), $0.isThere ? $0.guest(vmid) : nil) })
        else { return .later }
        if isBusy { return .later }
        guard let found else {
            abandonedCreations.forgetAbsent(vmid)
            return .nothing
        }
        guard found.config.lock == "create" else {
            abandonedCreations.forget(vmid)
            return .nothing
        }
        return (try? await removeHalfMade(found)) == true ? .removed : .later
    }

    /// What became of a making that failed: rolled back by the tool, removed here, or left because its worker lives.
    func afterFailure(_ error: DriverError, making vmid: Int, command: String) async -> DriverError {
        guard error.code == .unknownOutcome else { return error }
        abandonedCreations.add(vmid, command)
        // Not in the caller's task: that may have been cancelled, and nothing can be run in it any more.
        let end = await Task { () -> Sweep in
            let limit = ContinuousClock.now + Self.workerPatience
            while true {
                let found = await self.sweep(vmid)
                if found != .later || .now > limit { return found }
                try? await Task.sleep(for: .milliseconds(200))
            }
        }.value
        let isThere = await Task { (try? await self.look(vmid)) != nil }.value
        if end == .later || isThere || error.message.hasSuffix(ProxmoxTools.goesOn) { return error }
        let wasStopped = error.message.hasSuffix(ProxmoxTools.toldToStop)
        return DriverError(
            wasStopped ? .cancelled : .failed, "\(error.message); what it had made is removed again",
            retryable: !wasStopped, cause: error.cause)
    }

    /// Removes what a making of ours has left that was given up. Not when anybody may still work on it, or when there
    /// is more than such a making leaves.
    func removeHalfMade(_ found: Guest) async throws(DriverError) -> Bool {
        let vmid = found.vmid
        guard found.config.lock == "create", let command = abandonedCreations.commands[vmid],
            found.config["rootfs"] == nil && found.config["hostname"] == nil || found.mark?.nonce == command,
            try await !files.aside({ $0.isBusy(vmid) }), abandonedCreations.begin(vmid)
        else { return false }
        do throws(DriverError) { try await remove(halfMade: found) } catch {
            abandonedCreations.end(vmid, isGone: false)
            throw error
        }
        abandonedCreations.end(vmid, isGone: true)
        return true
    }

    private func remove(halfMade found: Guest) async throws(DriverError) {
        let vmid = found.vmid
        // First the source: when the target is gone, nothing says any more which one it was.
        if let source = found.config.copyNote?.source { try await releaseSource(source) }
        try await tools.act(.pct, ["unlock", "\(vmid)"])
        let mount = "/var/lib/lxc/\(vmid)/rootfs"
        if try await files.aside({ $0.isMounted(mount) }) {
            try await tools.act(.umount, ["\(files.root)\(mount)"])
        }
        try await destroy(found)
    }

    /// A clone that has died leaves its source locked, which cannot even be started then.
    func releaseSource(_ source: Int) async throws(DriverError) {
        guard let found = try await look(source), found.config.lock == "disk",
            try await !files.aside({ $0.isBusy(source) })
        else { return }
        _ = try await achieve(source, "lost the lock of its copy") {
            $0?.config.lock != "disk"
        } by: { () throws(DriverError) in
            try await tools.act(.pct, ["unlock", "\(source)"])
        }
    }
}
