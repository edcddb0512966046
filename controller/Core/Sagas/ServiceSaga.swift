import Saga
import Store
import WireProtocol

/// One saga of a service. Each has a file of its own with the same sections: table, keys, steps, conclusion.
protocol ServiceSaga {
    static var kind: OperationKind { get }
    static var definition: SagaDefinition<ServiceScope> { get }
    /// Notes in the service what the saga has achieved; part of the transaction that ends the operation.
    static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue])
}

extension ServiceSaga {
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
