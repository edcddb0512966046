import ControllerCore
import Saga
import Store
import WireProtocol

extension Container {
    static let provision = verb(
        .provision, "Makes a data set and a running container on a node.", ProvisionContainer.saga,
        ProvisionContainer.conclude)
    static let suspend = verb(
        .suspend, "Stops the container and keeps everything.", SuspendContainer.saga, SuspendContainer.conclude)
    static let resume = verb(
        .resume, "Starts the container of a suspended service again.", ResumeContainer.saga, ResumeContainer.conclude)
    static let upgrade = verb(
        .upgrade, "Changes memory, processor and disk.", UpgradeContainer.saga, UpgradeContainer.conclude)
    static let repair = verb(
        .repair, "Brings back a container that is stopped or missing, on the data that is there.",
        RepairContainer.saga, RepairContainer.conclude)
    /// A removal must work whatever the specification says, and needs nothing of it.
    static let terminate = verb(
        .terminate, "Removes the container and its data with all snapshots.", TerminateContainer.saga,
        TerminateContainer.conclude, needsSpec: false)

    private static func verb(
        _ verb: Verb, _ summary: String, _ saga: SagaDefinition<ContainerScope>,
        _ conclude: @escaping ProductVerb.Conclusion, needsSpec: Bool = true
    ) -> ProductVerb {
        ProductVerb(
            verb, summary: summary, saga: saga,
            scope: { scope in
                do throws(CoreError) {
                    return ContainerScope(scope: scope, spec: try ContainerSpec(json: scope.service.spec))
                } catch {
                    guard !needsSpec else { throw error }
                    return ContainerScope(scope: scope, spec: .none)
                }
            }, conclude: conclude)
    }
}

/// What the steps of a container's sagas work in.
struct ContainerScope: ServiceWork {
    let scope: ServiceScope
    let spec: ContainerSpec
}
