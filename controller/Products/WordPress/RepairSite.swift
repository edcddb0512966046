import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Puts right what is not as ordered, on the container that is there: it starts, with its limits, its setup, its HA, its records and
/// its route. It never makes a container: one that is missing is a loss of data, and an empty one in its place would hide that.
enum RepairSite {
    static let saga = SagaDefinition<SiteScope>(
        kind: Verb.repair.name, deadline: .seconds(5400),
        steps: SiteSteps.opening(anyMaking: true) + [
            SagaStep(settings, deadline: .seconds(180), act: setAll),
            SagaStep(ha, act: joinHA),
            SagaStep(power, deadline: .seconds(180), act: start),
            SagaStep(recipe, deadline: .seconds(3000), act: setUp),
            SagaStep(record, act: makeRecords),
            SagaStep(route, deadline: .seconds(1200), act: makeRoute),
            SagaStep(
                page, weight: .auxiliary, retry: RetryPolicy(attempts: 6, first: .seconds(2), most: .seconds(20)),
                act: askForPage),
        ])

    static let settings = StepKey<NoOutput>("settings")
    static let ha = StepKey<Observation>("ha")
    static let power = StepKey<NoOutput>("power")
    static let recipe = StepKey<Observation>("recipe")
    static let record = StepKey<NoOutput>("record")
    static let route = StepKey<NoOutput>("route")
    static let page = StepKey<NoOutput>("page")

    private static func setAll(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.putInOrder(call.output(SiteSteps.guest), starts: true, call)
        return NoOutput()
    }

    private static func joinHA(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let storage = try call.output(SiteSteps.place).storage
        return Observation(["ha": .bool(try await scope.joinHA(call.output(SiteSteps.guest), storage: storage, call))])
    }

    private static func start(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await SuspendSite.start(scope, call)
        return NoOutput()
    }

    private static func setUp(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let place = try call.output(SiteSteps.place)
        return Observation(
            try await scope.setUp(
                call.output(SiteSteps.guest), url: scope.primaryURL(place), title: place.host, password: nil, call))
    }

    private static func makeRecords(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.makeRecords(of: scope.name(of: call.output(SiteSteps.place).host))
        return NoOutput()
    }

    private static func makeRoute(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let site = try await scope.name(of: call.output(SiteSteps.place).host)
        try await scope.makeRoute(site, of: [site.host], to: scope.target())
        return NoOutput()
    }

    private static func askForPage(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let place = try call.output(SiteSteps.place)
        try await scope.checkPage(of: scope.name(of: place.host), home: scope.primaryURL(place))
        return NoOutput()
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        SiteSteps.noteGuest(&service, operation, outputs: outputs)
        service.observed["ha"] = outputs[ha.name]?["ha"]
        service.observed["wordpress"] = outputs[recipe.name]?["returned"]
    }
}

extension SiteScope {
    /// The address under which visitors see the site: its own name, until a domain of the customer's is served.
    func primaryURL(_ place: SitePlace) -> String { service.address["url"]?.asString ?? place.url }

    /// Where the proxy finds the site.
    func target() throws(StepFailure) -> String {
        if let target = service.address["target"]?.asString { return target }
        throw .refused("not_provisioned", "the service was never provisioned to the end: retry or terminate it")
    }

    /// Limits, and whether it starts with its node.
    func putInOrder(_ guest: FoundGuest, starts: Bool, _ call: StepCall) async throws(StepFailure) {
        _ = try await order(
            "container.set", guest,
            [
                "memory_mib": .integer(spec.memoryBytes >> 20), "cores": .integer(spec.cores),
                "on_boot": .bool(starts), "apply": "at_restart",
            ], call)
    }
}
