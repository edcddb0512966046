import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Steps that sagas on a site that is there begin with, and what they share.
enum SiteSteps {
    static let place = StepKey<SitePlace>("place")
    static let guest = StepKey<FoundGuest>("guest")

    /// The books, then the container wherever it is now.
    static func opening(anyMaking: Bool = false) -> [SagaStep<SiteScope>] {
        [
            SagaStep(place, places: true, act: { scope, _ throws(StepFailure) in try await scope.place() }),
            SagaStep(
                guest,
                act: { scope, call throws(StepFailure) in
                    try await scope.guest(call.output(place), call, anyMaking: anyMaking)
                }),
        ]
    }

    /// One that was suspended stays so.
    static func isToRun(_ call: StepCall) -> Bool { call.context["from"] != "suspended" }

    /// What a saga that changes nothing of the service's books notes.
    @Sendable static func noteGuest(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        service.observed["drift"] = nil
        service.node = outputs[guest.name]?["node"]?.asString ?? service.node
    }
}

/// Stops a site's container and keeps everything: it does not start with its node either.
enum SuspendSite {
    static let saga = SagaDefinition<SiteScope>(
        kind: Verb.suspend.name,
        steps: SiteSteps.opening() + [
            SagaStep(boot, act: setBoot(false), undo: putBoot(true)),
            SagaStep(power, deadline: .seconds(300), act: stop, undo: start),
        ])

    static let boot = StepKey<NoOutput>("boot")
    static let power = StepKey<NoOutput>("power")

    static func setBoot(_ on: Bool) -> @Sendable (SiteScope, StepCall) async throws(StepFailure) -> NoOutput {
        { scope, call throws(StepFailure) in
            _ = try await scope.order(
                "container.set", call.output(SiteSteps.guest), ["on_boot": .bool(on)], call)
            return NoOutput()
        }
    }

    static func putBoot(_ on: Bool) -> @Sendable (SiteScope, StepCall) async throws(StepFailure) -> Void {
        { scope, call throws(StepFailure) in _ = try await setBoot(on)(scope, call) }
    }

    @Sendable static func stop(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.shutDown(call.output(SiteSteps.guest), call)
        return NoOutput()
    }

    @Sendable static func start(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        _ = try await scope.order("container.start", call.output(SiteSteps.guest), call)
    }
}

/// Starts the container of a suspended site again. It is told its address: what has become of its domains, or of itself by a
/// restoration, while it stood still, it cannot know.
enum ResumeSite {
    static let saga = SagaDefinition<SiteScope>(
        kind: Verb.resume.name,
        steps: SiteSteps.opening() + [
            SagaStep(boot, act: SuspendSite.setBoot(true), undo: SuspendSite.putBoot(false)),
            SagaStep(power, deadline: .seconds(180), act: start, undo: stop),
            SagaStep(address, weight: .auxiliary, deadline: .seconds(300), act: setAddress),
        ])

    static let boot = StepKey<NoOutput>("boot")
    static let power = StepKey<NoOutput>("power")
    static let address = StepKey<NoOutput>("address")

    private static func start(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await SuspendSite.start(scope, call)
        return NoOutput()
    }

    private static func setAddress(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.setAddress(
            call.output(SiteSteps.guest), to: scope.primaryURL(call.output(SiteSteps.place)), call)
        return NoOutput()
    }

    private static func stop(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        _ = try await SuspendSite.stop(scope, call)
    }
}

/// Ends the container and starts it again.
enum RestartSite {
    static let saga = SagaDefinition<SiteScope>(
        kind: Verb.restart.name,
        steps: SiteSteps.opening() + [SagaStep(power, deadline: .seconds(600), act: restart)])

    static let power = StepKey<NoOutput>("power")

    private static func restart(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        _ = try await scope.order(
            "container.restart", call.output(SiteSteps.guest), ["timeout_s": SiteScope.patience, "force": true], call)
        return NoOutput()
    }
}

extension SiteScope {
    /// Seconds that a database has to end by itself.
    static let patience: JSONValue = 120

    func shutDown(_ guest: FoundGuest, _ call: StepCall) async throws(StepFailure) {
        _ = try await order("container.shutdown", guest, ["timeout_s": Self.patience, "force": true], call)
    }
}
