import Saga
import Store
import WireProtocol

/// One saga of a service. Each has a file of its own with the same sections: table, keys, steps, conclusion.
protocol ServiceSaga {
    static var kind: OperationKind { get }
    static var definition: SagaDefinition<ServiceScope> { get }
    /// Tables of released versions that are not the present one, for operations that began under them.
    static var earlier: [SagaDefinition<ServiceScope>] { get }
    /// Notes in the service what the saga has achieved; part of the transaction that ends the operation.
    static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue])
}

extension ServiceSaga {
    static var earlier: [SagaDefinition<ServiceScope>] { [] }

    /// The table that an operation began with; nil for one that this version does not know.
    static func definition(revision: Int64?) -> SagaDefinition<ServiceScope>? {
        guard let revision else { return definition }
        return ([definition] + earlier).first { $0.table.revision == revision }
    }

    static func conclude(_ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]) {}
}

extension OperationKind {
    var saga: any ServiceSaga.Type {
        switch self {
        case .provision: ProvisionService.self
        case .suspend: SuspendService.self
        case .resume: ResumeService.self
        case .upgrade: UpgradeService.self
        case .repair: RepairService.self
        case .terminate: TerminateService.self
        }
    }
}
