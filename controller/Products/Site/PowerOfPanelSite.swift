import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Lets nginx answer 503 for the site, and keeps everything.
enum SuspendPanelSite {
    static let saga = SagaDefinition<PanelScope>(
        kind: Verb.suspend.name,
        deadline: .seconds(2 * 3600),
        steps: PanelSteps.opening() + [
            SagaStep(
                power, retry: ProvisionPanelSite.persistent, deadline: PanelScope.patience, act: suspend, undo: resume)
        ])

    static let power = StepKey<NoOutput>("power")

    static func suspend(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        _ = try await scope.order("site.suspend", call.output(PanelSteps.place), call)
        return NoOutput()
    }

    static func resume(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) {
        _ = try await scope.order("site.resume", call.output(PanelSteps.place), call)
    }
}

/// Lets a suspended site be seen again.
enum ResumePanelSite {
    static let saga = SagaDefinition<PanelScope>(
        kind: Verb.resume.name,
        deadline: .seconds(2 * 3600),
        steps: PanelSteps.opening() + [
            SagaStep(
                power, retry: ProvisionPanelSite.persistent, deadline: PanelScope.patience, act: resume, undo: suspend)
        ])

    static let power = StepKey<NoOutput>("power")

    private static func resume(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await SuspendPanelSite.resume(scope, call)
        return NoOutput()
    }

    private static func suspend(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) {
        _ = try await SuspendPanelSite.suspend(scope, call)
    }
}
