package import Saga
import Store

extension ServiceWork {
    /// Notes that the service has, or is about to have, things at an integration, which is then not removed. Call it in a step
    /// before the first thing is made.
    package func use(integration name: String) async throws(StepFailure) {
        let (id, now) = (service.id, dependencies.clock.now())
        try await locally { store throws(StoreError) -> Result<Void, StepFailure> in
            guard try store.integration(name) != nil else {
                return .failure(StepFailure(.notSetUp("integration \(name)"), "integration \(name)"))
            }
            try store.useIntegration(name, service: id, at: now)
            return .success(())
        }
    }
}
