import Model
import Store
import Testing
import WireProtocol

@testable import ControllerCore

/// One saga with the state that it begins from. All run through the same tests.
struct Scenario: Sendable, CustomTestStringConvertible {
    var name: String
    var kind: Verb
    /// Makes the state before; nil when the order itself makes the service.
    var prepare: @Sendable (Stage) async throws -> String?
    var order: @Sendable (Stage, String?) async throws -> ServiceOperation
    /// The number of commands when all goes well.
    var commands: Int
    /// Numbers of the commands that belong to auxiliary steps.
    var auxiliary: Set<Int> = []

    var testDescription: String { name }

    static let all: [Scenario] = [
        Scenario(
            name: "provision", kind: .provision, prepare: { _ in nil }, order: { stage, _ in try await stage.create() },
            commands: 4, auxiliary: [4]),
        Scenario(
            name: "suspend", kind: .suspend, prepare: { try await $0.provision().id },
            order: { try await $0.operations.suspend($1 ?? "", by: Stage.by) }, commands: 1),
        Scenario(
            name: "resume", kind: .resume, prepare: { try await $0.suspended() },
            order: { try await $0.operations.resume($1 ?? "", by: Stage.by) }, commands: 1),
        Scenario(
            name: "upgrade", kind: .upgrade, prepare: { try await $0.provision().id },
            order: { try await $0.operations.upgrade($1 ?? "", UpgradeRequest(plan: "large"), by: Stage.by) },
            commands: 3),
        Scenario(
            name: "upgrade a suspended one", kind: .upgrade, prepare: { try await $0.suspended() },
            order: { try await $0.operations.upgrade($1 ?? "", UpgradeRequest(plan: "large"), by: Stage.by) },
            commands: 3),
        Scenario(
            name: "repair", kind: .repair, prepare: { try await $0.broken() },
            order: { try await $0.operations.repair($1 ?? "", by: Stage.by) }, commands: 3),
        Scenario(
            name: "terminate", kind: .terminate, prepare: { try await $0.provision().id },
            order: { try await $0.operations.terminate($1 ?? "", by: Stage.by) }, commands: 2),
        Scenario(
            name: "terminate a suspended one", kind: .terminate, prepare: { try await $0.suspended() },
            order: { try await $0.operations.terminate($1 ?? "", by: Stage.by) }, commands: 2),
    ]

    static var undoable: [Scenario] { all.filter { $0.kind != .terminate } }
}

/// A scenario that is set up: what there was before, and the operation that waits.
struct Scene {
    var stage: Stage
    var before: Belongings
    var booksBefore: Books
    var service: String
    var operation: String

    static func with(_ scenario: Scenario, _ body: (Scene) async throws -> Void) async throws {
        try await Stage.with { stage in
            let prepared = try await scenario.prepare(stage)
            let before = stage.node.belongings
            let booksBefore = try await prepared.asyncMap { try await stage.books($0) }
            let order = try await scenario.order(stage, prepared)
            // Numbers of commands, for faults, count from here.
            stage.node.change { state in
                state.numbers = [:]
                state.log = []
            }
            let books: Books
            if let booksBefore { books = booksBefore } else { books = try await stage.books(order.service.id) }
            try await body(
                Scene(
                    stage: stage, before: before, booksBefore: books, service: order.service.id,
                    operation: order.operation.id))
        }
    }

    /// The world and the books after the operation, for comparing ways of getting there.
    func end() async throws -> End {
        End(
            belongings: stage.node.belongings.renamed(from: service),
            books: try await stage.books(service).renamed(from: service),
            state: try await stage.outcome(operation).state)
    }
}

struct End: Hashable {
    var belongings: Belongings
    var books: Books
    var state: OperationRecord.State
}

extension Optional where Wrapped: Sendable {
    func asyncMap<Value>(_ body: (Wrapped) async throws -> Value) async throws -> Value? {
        guard let self else { return nil }
        return try await body(self)
    }
}

extension Belongings {
    /// With the service's id replaced, which is another in each run.
    func renamed(from id: String) -> Belongings {
        func plain(_ text: String) -> String { text.replacing(id, with: "svc") }
        var copy = Belongings(images: images)
        for (name, var dataset) in datasets {
            // Makings are named after operations.
            (dataset.owner, dataset.nonce) = (plain(dataset.owner), dataset.nonce.map { _ in "…" })
            copy.datasets[plain(name)] = dataset
        }
        for (name, var container) in containers {
            (container.service, container.mount) = (plain(container.service), plain(container.mount))
            container.nonce = container.nonce.map { _ in "…" }
            copy.containers[plain(name)] = container
        }
        return copy
    }
}

extension Books {
    func renamed(from id: String) -> Books {
        var copy = self
        copy.names = names.map { $0.replacing(id, with: "svc") }
        return copy
    }
}

extension Stage {
    func suspended() async throws -> String {
        let service = try await provision()
        try await finish(operations.suspend(service.id, by: Self.by).operation.id)
        return service.id
    }

    /// Running by the books, with no container on the node.
    func broken() async throws -> String {
        let service = try await provision()
        node.change { $0.belongings.containers = [:] }
        return service.id
    }
}
