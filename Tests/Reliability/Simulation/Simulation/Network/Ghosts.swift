import Takeover
import WireProtocol

typealias TakeoverDisk = takeover_disk

/// Orders that come again, as from a controller that was restored from an old backup.
extension Connection {
    /// The very same order once more: its receipt must answer.
    func echo(_ orders: [Truth.Order], _ chance: inout Chance) {
        guard !orders.isEmpty else { return }
        travel(chance.pick(orders).line, .toAgent)
    }

    /// An order that something newer has overtaken, under a name that the agent does not know: it must be refused.
    func ghost(_ orders: [Truth.Order], _ chance: inout Chance) {
        guard !orders.isEmpty else { return }
        var command = chance.pick(orders).command
        command.id = "\(command.id).ghost.\(chance.below(1 << 30))"
        let line = ControllerMessage.command(command).line()
        for sent in network.pass(line, .toAgent, on: self) { travel(sent, .toAgent) }
    }
}
