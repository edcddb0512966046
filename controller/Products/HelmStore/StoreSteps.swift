import ControllerCore
import Model
import ProductKit
import Saga
import Store
import WireProtocol

/// Steps that a shop's sagas share.
enum StoreSteps {
    static let place = StepKey<StorePlace>("place")
    /// The shop's namespace, which bears the service's mark.
    static let space = StepKey<Observation>("namespace")
    static let secret = StepKey<NoOutput>("credentials")
    static let release = StepKey<Observation>("release")
    static let ready = StepKey<Observation>("ready")

    /// The secret that a shop's chart takes its passwords from. It is made in the cluster and never leaves it.
    static let credentials = "store-credentials"
    private static let words: JSONObject = [
        "db-password": 32, "db-root-password": 32, "admin-password": 24, "jwt-secret": 48, "cookie-secret": 48,
    ]

    static var opening: SagaStep<StoreScope> {
        SagaStep(place, places: true, act: { scope, _ throws(StepFailure) in try await scope.place() })
    }

    /// Long enough for all looks; the specification says when they end.
    static func readiness(_ key: StepKey<Observation> = ready, after release: StepKey<Observation> = release)
        -> SagaStep<StoreScope>
    {
        SagaStep(
            key, deadline: .seconds(3 * 3600),
            act: { scope, call throws(StepFailure) in
                let limit = try scope.wanted().patience.timeoutSeconds
                return try await scope.awaitReadiness(call.output(release), limit, call)
            })
    }

    /// How long a job on a shop's data may take: its own deadline in the chart, and what it takes to begin.
    static let longestWork: Int64 = 21_600 + 1800

    /// The end of a job on a shop's data, which takes as long as there are data.
    static func workDone(_ key: StepKey<Observation> = ready, after release: StepKey<Observation> = release)
        -> SagaStep<StoreScope>
    {
        SagaStep(
            key, deadline: .seconds(longestWork + 1800),
            act: { scope, call throws(StepFailure) in
                try await scope.awaitReadiness(call.output(release), longestWork, call)
            })
    }

    @Sendable static func ensureNamespace(
        _ scope: StoreScope, _ call: StepCall
    ) async throws(StepFailure) -> Observation {
        do throws(StepFailure) {
            return Observation(
                try await scope.send("namespace.ensure", about: call.output(place), ["mark": scope.mark], call))
        } catch { throw error.explained }
    }

    @Sendable static func ensureSecret(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        _ = try await scope.send(
            "secret.ensure", about: call.output(place),
            ["mark": scope.mark, "secret": .string(credentials), "keys": .object(words)], call)
        return NoOutput()
    }

    /// What a saga that changes nothing of the service's books notes.
    @Sendable static func note(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        service.observed["drift"] = nil
        if [Verb.provision.name, Verb.repair.name].contains(operation.kind) {
            service.observed["attempt"] = .string("\(operation.position)")
        }
        for key in ["chart", "app_version"] {
            if let seen = outputs[release.name]?[key] { service.observed[key] = seen }
        }
    }
}

extension StoreScope {
    /// Looks until pods, jobs and ingress of the release are ready, from when it was ordered.
    ///
    /// A look has the name of its time: one that is repeated after a crash is a new one where time has gone by.
    /// - Parameter limit: in seconds.
    func awaitReadiness(
        _ ordered: Observation, _ limit: Int64, _ call: StepCall
    ) async throws(StepFailure) -> Observation {
        let (place, patience) = (try call.output(StoreSteps.place), try wanted().patience)
        let since = ordered.object["since"]?.asInteger ?? dependencies.clock.now().milliseconds
        var said = "nobody could say how it is"
        while true {
            let waited = max(0, dependencies.clock.now().milliseconds - since)
            let number = waited / (patience.pollSeconds * 1000)
            do throws(StepFailure) {
                let seen = try await send(
                    "release.ready", about: place, ["ingress_address": .bool(patience.needsAddress)],
                    call.part("look-\(number)"))
                if seen["ready"] == true { return Observation(seen) }
                let problems = (seen["problems"]?.asArray ?? []).compactMap(\.asString)
                if seen["failed"] == true {
                    throw StepFailure(
                        .final, code: "failed", message: Self.told(problems, "the shop cannot come up"),
                        resource: place.resource)
                }
                if said != Self.words(problems) { note(call, "waiting for \(Self.words(problems))") }
                said = Self.words(problems)
            } catch {
                // A cluster that does not answer for a while is asked again, for as long as there is time.
                guard error.kind == .retryable else { throw error.explained }
                said = error.message
            }
            guard waited < limit * 1000 else {
                throw StepFailure(
                    .final, code: "timed_out",
                    message: StoreTrouble.told(
                        "not ready within \(limit) s: \(said)", else: "the shop did not come up"),
                    resource: place.resource)
            }
            await dependencies.clock.pause(.seconds(patience.pollSeconds))
            guard !Task.isCancelled else {
                throw StepFailure(.retryable, code: "stopped", message: "the wait was stopped", effect: .none)
            }
        }
    }

    /// A line in the operation's log.
    func note(_ call: StepCall, _ text: String) { scope.note(call.step, text) }

    private static func words(_ problems: [String]) -> String {
        problems.isEmpty ? "the cluster" : problems.prefix(4).map { String($0.prefix(200)) }.joined(separator: "; ")
    }

    private static func told(_ problems: [String], _ fallback: String) -> String {
        StoreTrouble.told(words(problems), else: fallback)
    }
}
