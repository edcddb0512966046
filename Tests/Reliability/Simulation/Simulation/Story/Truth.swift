import DriverKit
import Model
import WireProtocol

/// What really happened, seen from above: every order that was sent, every call that began, every effect. It complains at
/// once when something happens that must never happen.
final class Truth {
    struct Order {
        let node: Int
        let line: [UInt8]
        let command: Command
    }

    private(set) var orders: [String: Order] = [:]
    private(set) var beginnings: [String: Int] = [:]
    private(set) var effects: [String: Int] = [:]
    /// The newest generation that has begun, by node and resource.
    private var newest: [String: Int64] = [:]
    private(set) var violations: [String] = []
    private let scheduler = Scheduler.shared

    func violated(_ text: String) {
        scheduler.trace.line(at: scheduler.now, "TRUTH", "violated: \(text)")
        violations.append("\(scheduler.now.text) \(text)")
    }

    func sent(_ command: Command, _ line: [UInt8], to node: Int) {
        guard orders[command.id] == nil else { return }
        orders[command.id] = Order(node: node, line: line, command: command)
    }

    func began(_ id: String, on node: Int) {
        beginnings[id, default: 0] += 1
        scheduler.trace.mix(id.utf8)
        scheduler.trace.line(at: scheduler.now, "node-\(node)", "engine begins \(id)")
        if beginnings[id] == 2 { violated("command \(id) ran twice on node-\(node)") }
        guard let order = orders[id] else { return violated("command \(id) ran without having been sent") }
        let place = "\(node) \(order.command.resource)"
        if let last = newest[place], order.command.generation < last {
            violated("command \(id) of generation \(order.command.generation) ran after one of generation \(last)")
        }
        newest[place] = max(order.command.generation, newest[place] ?? .min)
    }

    func effect(of id: String, _ call: ActionCall, on node: Int) {
        effects[id, default: 0] += 1
        scheduler.trace.line(at: scheduler.now, "node-\(node)", "effect of \(id) (\(call.action))")
    }

    /// Old orders that something newer on their resource has overtaken.
    func overtaken(on node: Int) -> [Order] {
        orders.values.filter { order in
            order.node == node && order.command.generation < newest["\(node) \(order.command.resource)"] ?? .min
        }.sorted { $0.command.id < $1.command.id }
    }

    /// Orders that have begun: their receipts must answer for them.
    func begun(on node: Int) -> [Order] {
        orders.values.filter { $0.node == node && beginnings[$0.command.id] != nil }.sorted {
            $0.command.id < $1.command.id
        }
    }
}
