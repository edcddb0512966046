import DriverKit
import Model
import WireProtocol

/// Pools: their state and what is wrong with them.
extension ZFSDriver {
    func tellPoolStatus(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("pool")
        try reader.finish()
        return .seen(try await status(of: name).json)
    }

    /// Whether all is well, pool by pool, and what is not.
    func tellPoolHealth(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
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
    func statuses() async throws(DriverError) -> [PoolStatus] { try await statuses([]) }

    func status(of name: String) async throws(DriverError) -> PoolStatus {
        guard let found = try await statuses(["--", name]).first(where: { $0.name == name }) else {
            throw DriverError(.notFound, "there is no pool \(name)")
        }
        return found
    }

    private func statuses(_ scope: [String]) async throws(DriverError) -> [PoolStatus] {
        guard speaksJSON else { return PoolStatus.parse(try await tools.read(.zpool, ["status", "-v"] + scope)) }
        let text = try await tools.read(.zpool, ["status", "-j", "-p", "-v"] + scope)
        do throws(JSONError) { return try PoolStatus.parse(json: text) } catch {
            throw DriverError(.failed, "what zpool printed is not the JSON that it should be", cause: error.description)
        }
    }
}
