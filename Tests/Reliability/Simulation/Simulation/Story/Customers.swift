import ControllerCore
import ControllerEngine
import Model
import Store
import WireProtocol

/// People and billing systems who want things all the time, ask twice, change their minds, and remember what they were
/// promised.
final class Customers: @unchecked Sendable {
    // Unchecked: one thread.
    private unowned let trial: Trial
    private let scheduler = Scheduler.shared
    private var chance: Chance
    /// What each customer wants to have, drawn apart.
    private var wares: Chance
    private var isOpen = false
    /// Services and operations that the controller has confirmed, and which external id each service answered to.
    private(set) var services: Set<String> = []
    private(set) var operations: Set<String> = []
    private(set) var names: [String: String] = [:]
    private var kinds: [Int: Ware] = [:]

    /// What is sold: plans, and verbs that only it has.
    private struct Ware {
        var plans: [String]
        var verbs: [String] = []
        /// Whether a name comes with the order.
        var isNamed = false

        static let all = [
            Ware(plans: ["small", "large"]),
            Ware(
                plans: ["shop", "large-shop"], verbs: ["back-up", "back-up", "restore", "remove-backup"],
                isNamed: true),
            Ware(plans: ["site", "large-site"], verbs: ["back-up", "restore", "restart"]),
        ]
    }

    private func ware(of number: Int) -> Ware {
        if let known = kinds[number] { return known }
        let ware = wares.pick(Ware.all)
        kinds[number] = ware
        return ware
    }

    init(in trial: Trial) {
        self.trial = trial
        chance = Chance(seed: trial.seed, for: "customers")
        wares = Chance(seed: trial.seed, for: "wares")
    }

    func start() {
        isOpen = true
        for number in 1...trial.options.customers { visit(number, after: chance.around(.seconds(2))) }
    }

    func stop() { isOpen = false }

    private func visit(_ number: Int, after wait: Moment) {
        scheduler.after(wait) { [self] in
            guard isOpen else { return }
            act(number)
            visit(number, after: chance.around(.seconds(6)))
        }
    }

    private func act(_ number: Int) {
        guard let service = names["customer-\(number)"] else {
            order(number)
            // A billing system that got no answer asks again.
            if chance.happens(0.3) { order(number) }
            return
        }
        let by = Requester(name: "customer-\(number)")
        switch chance.below(12) {
        case 0: ask { try await $0.suspend(service, by: by) }
        case 1: ask { try await $0.resume(service, by: by) }
        case 2, 3:
            let plan = chance.pick(ware(of: number).plans)
            ask { try await $0.upgrade(service, UpgradeRequest(plan: plan), by: by) }
        case 10 where !ware(of: number).verbs.isEmpty: special(service, ware(of: number), by)
        case 4: ask { try await $0.repair(service, by: by) }
        case 5: ask { try await $0.terminate(service, by: by) }
        case 6: ask { try await $0.retry(service, by: by) }
        case 7: cancel(by)
        case 8: order(number)
        case 9: takePort(for: service)
        default: more(number)
        }
    }

    private func order(_ number: Int) {
        let name = "customer-\(number)"
        let ware = ware(of: number)
        var overrides: JSONObject = ware.plans.contains("site") ? ["email": .string("\(name)@example.org")] : [:]
        if ware.isNamed { overrides = ["name": .string("shop-\(number)"), "email": "jane@example.org"] }
        let request = ServiceRequest(
            externalID: name, customer: name, plan: ware.plans[ware.isNamed ? number % 2 : 0], overrides: overrides)
        trial.controller.ask { [self] engine in
            let made = try await engine.operations.createService(request, by: Requester(name: name))
            let id = made.service.id
            if let known = names[name], known != id { trial.truth.violated("\(name) has two services") }
            names[name] = id
            promised(made)
        }
    }

    private func special(_ service: String, _ ware: Ware, _ by: Requester) {
        let verb = chance.pick(ware.verbs)
        trial.controller.ask { [self] engine in
            // One backup, as whoever reads the list would choose it.
            let listed = try await engine.store.backups(service: service)
            if verb == "remove-backup", listed.isEmpty { return }
            let parameters: JSONObject = verb == "remove-backup" ? ["backup": .string(listed[0].id)] : [:]
            promised(try await engine.operations.order(verb, on: service, parameters: parameters, by: by))
        }
    }

    /// Further services without a name of the customer's own.
    private func more(_ number: Int) {
        guard services.count < 12 else { return }
        let request = ServiceRequest(customer: "customer-\(number)", plan: chance.pick(["small", "large"]))
        ask { try await $0.createService(request, by: Requester(name: "more")) }
    }

    private func cancel(_ requester: Requester) {
        guard !operations.isEmpty else { return }
        let operation = operations.sorted().suffix(5).randomElement(&chance)
        trial.controller.ask { engine in _ = try await engine.operations.cancel(operation, by: requester) }
    }

    /// As a saga of a later day will: a port on the service's node, one of a few.
    private func takePort(for service: String) {
        let isPlanted = trial.options.plant == .doubleAllocation
        trial.controller.ask { engine in
            try await engine.store.atomically { store throws(StoreError) in
                guard let node = try store.service(service)?.node else { return }
                let scope = isPlanted ? "\(node) \(service)" : node
                _ = try store.allocate(
                    AllocationRequest(
                        kind: "port", scope: scope, candidates: (1...20).map { "\(20_000 + $0)" }, node: node,
                        service: service), at: .now())
            }
        }
    }

    private func ask(_ body: @escaping @Sendable (Operations) async throws -> ServiceOperation) {
        trial.controller.ask { [self] engine in promised(try await body(engine.operations)) }
    }

    private func promised(_ made: ServiceOperation) {
        services.insert(made.service.id)
        operations.insert(made.operation.id)
    }
}

extension ArraySlice<String> {
    fileprivate func randomElement(_ chance: inout Chance) -> String { Array(self)[chance.below(count)] }
}
