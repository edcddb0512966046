import DriverKit
import Model
import WireProtocol

/// Scrubs. Whether one runs, or ran, is what the pool's status tells afterwards, and not that the tool said yes.
extension ZFSDriver {
    private enum ScrubAction: String { case start, pause, stop }

    /// Starts, pauses or stops a scrub; `wait` stays until it has ended and tells how far it is. Waiting no longer leaves
    /// the scrub running.
    func scrub(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("pool")
        let action = ScrubAction(rawValue: try reader.string("action")) ?? .start
        let waits = try reader.bool("wait")
        try reader.finish()
        guard call.resource == "zpool/\(name)" else {
            throw DriverError(.invalidArgument, "pool \(name) is not what the call's resource \(call.resource) names")
        }
        let before = try await status(of: name)
        try Self.refuse(action, before)
        let isAlready = Self.isMet(action, before.scrub)
        let asked = Timestamp.now()
        if !isAlready { try await order(action, name) }
        let after = try await status(of: name)
        if !isAlready, !Self.isDone(action, before.scrub, after.scrub, since: asked) {
            throw DriverError(
                .failed, "zpool said yes to \(action.rawValue) a scrub of \(name), and its status tells of none",
                retryable: true, cause: after.scan.said
            ).afterChange()
        }
        let last = waits && action == .start ? try await scrubbed(name, after, context) : after
        return ActionOutcome(changed: !isAlready, observed: last.json)
    }

    private static func refuse(_ action: ScrubAction, _ status: PoolStatus) throws(DriverError) {
        if status.isResilvering { throw DriverError(.busy, "pool \(status.name) is being resilvered") }
        if action == .start, status.scans.contains(where: { $0.kind == .errorScrub && $0.isUnderWay }) {
            throw DriverError(.busy, "an error scrub of pool \(status.name) is under way")
        }
    }

    /// Whether there is nothing to do.
    private static func isMet(_ action: ScrubAction, _ scrub: PoolScan?) -> Bool {
        switch action {
        case .start: scrub?.state == .running
        case .pause: scrub?.state == .paused
        case .stop: scrub.map { !$0.isUnderWay && $0.state != .unknown } ?? true
        }
    }

    /// Whether the status tells what the order was to bring about. A small pool is through with a scrub before anybody looks.
    private static func isDone(
        _ action: ScrubAction, _ before: PoolScan?, _ after: PoolScan?, since asked: Timestamp
    ) -> Bool {
        guard let after else { return action != .start }
        let ended = after.ended.map { $0 >= asked.milliseconds / 1000 * 1000 } ?? false
        switch action {
        case .start: return after.isUnderWay || after.state == .finished && (ended || after != before)
        case .pause: return after.state == .paused || after.state == .finished && ended
        case .stop: return !after.isUnderWay && after.state != .unknown
        }
    }

    private func order(_ action: ScrubAction, _ name: String) async throws(DriverError) {
        let option: [String] =
            switch action {
            case .start: []
            case .pause: ["-p"]
            case .stop: ["-s"]
            }
        do {
            try await tools.act(["scrub"] + option + ["--", name], with: .zpool)
        } catch  where action == .start && error.cause?.contains("currently scrubbing") == true {
        } catch  where action == .stop && error.cause?.contains("no active scrub") == true {
        }
    }

    private func scrubbed(
        _ name: String, _ first: PoolStatus, _ context: ActionContext
    ) async throws(DriverError) -> PoolStatus {
        var now = first
        while let scrub = now.scrub, scrub.state == .running {
            context.progress(scrub.said, scrub.percent.map { $0 / 100 })
            if (try? await Task.sleep(for: .seconds(2))) == nil {
                throw DriverError(.cancelled, "the wait was broken off; the scrub goes on").afterChange()
            }
            now = try await status(of: name)
        }
        if now.scrub?.state == .finished { return now }
        let end =
            switch now.scrub?.state {
            case .paused: "was paused"
            case .cancelled: "was stopped"
            default: now.isResilvering ? "gave way to a resilver" : "is not told of any more"
            }
        throw DriverError(
            .conflict, "the scrub of \(name) \(end) before its end", retryable: true, cause: now.scan.said
        ).afterChange()
    }
}
