import DriverKit
import Model
import WireProtocol

/// Pools: their state, their scrubs and what they have reported.
extension ZFSDriver {
    func tellPoolStatus(_ call: OperationCall) async throws(DriverError) -> OperationOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.name("pool", .poolName)
        try reader.finish()
        return .seen(try await status(of: name).json)
    }

    /// Whether all is well, pool by pool, and what is not.
    func tellPoolHealth(_ call: OperationCall) async throws(DriverError) -> OperationOutcome {
        try ArgumentReader(call.arguments).finish()
        let pools = try await statuses()
        let troubles = pools.map { pool in pool.state != "ONLINE" || pool.hasDataErrors || !pool.troubled.isEmpty }
        return .seen([
            "healthy": .bool(!troubles.contains(true)),
            "pools": .array(
                zip(pools, troubles).map { pool, isTroubled in
                    .object([
                        "pool": .string(pool.name), "health": .string(pool.state), "healthy": .bool(!isTroubled),
                        "errors": .string(pool.errors), "scan": .object(pool.scan.json),
                        "troubled": .array(pool.troubled.map { .object($0.json) }),
                    ])
                }),
        ])
    }

    /// All pools; none is no failure.
    func statuses() async throws(DriverError) -> [PoolStatus] {
        PoolStatus.parse(try await tools.read(.zpool, ["status", "-v"]))
    }

    func status(of name: String) async throws(DriverError) -> PoolStatus {
        let text = try await tools.read(.zpool, ["status", "-v", "--", name])
        guard let found = PoolStatus.parse(text).first(where: { $0.name == name }) else {
            throw DriverError(.notFound, "there is no pool \(name)")
        }
        return found
    }

    /// Starts, pauses or stops a scrub; `wait` stays until it has ended and tells how far it is. Waiting no longer leaves
    /// the scrub running.
    func scrub(_ call: OperationCall, _ context: OperationContext) async throws(DriverError) -> OperationOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.name("pool", .poolName)
        let action = try reader.optional("action", "start, pause or stop") { $0.asString.flatMap(ScrubAction.init) }
        let waits = try reader.bool("wait", default: false)
        try reader.finish()
        guard call.resource == "zpool/\(name)" else {
            throw DriverError(.invalidArgument, "pool \(name) is not what the call's resource \(call.resource) names")
        }
        let before = try await status(of: name)
        let changed = try await tell(action ?? .start, name, before.scan)
        let after = waits && action ?? .start == .start ? try await scrubbed(name, context) : try await status(of: name)
        return OperationOutcome(changed: changed, observed: after.json)
    }

    private enum ScrubAction: String { case start, pause, stop }

    /// `true` when that changed anything.
    private func tell(_ action: ScrubAction, _ name: String, _ scan: PoolScan) async throws(DriverError) -> Bool {
        if scan.kind == "resilver", scan.state == .running {
            throw DriverError(.busy, "pool \(name) is being resilvered")
        }
        let isAlready: Bool =
            switch action {
            case .start: scan.state == .running
            case .pause: scan.state == .paused
            case .stop: scan.state != .running && scan.state != .paused
            }
        if isAlready { return false }
        let option: [String] =
            switch action {
            case .start: []
            case .pause: ["-p"]
            case .stop: ["-s"]
            }
        do {
            try await tools.act(["scrub"] + option + ["--", name], with: .zpool)
        } catch  where action == .start && error.cause?.contains("currently scrubbing") == true {
            return false
        } catch  where action == .stop && error.cause?.contains("no active scrub") == true {
            return false
        }
        return true
    }

    private func scrubbed(_ name: String, _ context: OperationContext) async throws(DriverError) -> PoolStatus {
        while true {
            let now = try await status(of: name)
            guard now.scan.state == .running else { return now }
            context.progress(now.scan.said, now.scan.percent.map { $0 / 100 })
            if (try? await Task.sleep(for: .seconds(2))) == nil {
                throw DriverError(.cancelled, "the wait was broken off; the scrub goes on").afterChange()
            }
        }
    }
}
