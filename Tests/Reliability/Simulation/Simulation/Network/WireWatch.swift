import WireProtocol

/// Sees every line on the wire, notes the orders, and plays the plants that live there.
final class WireWatch {
    private unowned let trial: Trial

    init(in trial: Trial) { self.trial = trial }

    func pass(_ bytes: [UInt8], _ direction: Connection.Direction, _ connection: Connection) -> [[UInt8]] {
        let scheduler = trial.scheduler
        scheduler.trace.line(
            at: scheduler.now, direction == .toAgent ? "controller" : "node-\(connection.node)",
            "says \(direction == .toAgent ? "to node-\(connection.node) " : "")"
                + String(decoding: bytes.dropLast().prefix(300), as: UTF8.self))
        return direction == .toAgent ? toAgent(bytes, connection) : toController(bytes, connection)
    }

    private func toAgent(_ bytes: [UInt8], _ connection: Connection) -> [[UInt8]] {
        guard bytes.starts(with: Self.commandStart), case .command(var command)? = decoded(bytes) else {
            return [bytes]
        }
        trial.truth.sent(command, bytes, to: connection.node)
        guard trial.options.plant == .staleGeneration else { return [bytes] }
        command.generation = 1 << 40
        return [ControllerMessage.command(command).line()]
    }

    private func toController(_ bytes: [UInt8], _ connection: Connection) -> [[UInt8]] {
        switch trial.options.plant {
        case .ackBeforeStore:
            guard bytes.starts(with: Self.metricsStart), case .metrics(let metrics)? = report(bytes) else { break }
            acknowledge(metrics.seq, connection)
        case .swallowedGap:
            guard bytes.starts(with: Self.gapStart), case .gap(let gap)? = report(bytes) else { break }
            if gap.kind == .metrics { acknowledge(gap.toSeq, connection) }
            return []
        default: break
        }
        return [bytes]
    }

    private func acknowledge(_ seq: Int64, _ connection: Connection) {
        connection.travel(ControllerMessage.ack(Acknowledgement(metrics: seq)).line(), .toAgent)
    }

    private func decoded(_ line: [UInt8]) -> ControllerMessage? { try? ControllerMessage(decoding: line.dropLast()) }
    private func report(_ line: [UInt8]) -> AgentMessage? { try? AgentMessage(decoding: line.dropLast()) }

    private static let commandStart = Array(#"{"type":"command""#.utf8)
    private static let metricsStart = Array(#"{"type":"metrics""#.utf8)
    private static let gapStart = Array(#"{"type":"gap""#.utf8)
}
