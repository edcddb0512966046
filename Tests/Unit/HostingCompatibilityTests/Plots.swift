import ControllerCore
import Model
import Saga
import Store
import Synchronization
import WireProtocol

/// A product of the tests that has the order and the address of a site, and no server: a builder says what becomes of each.
enum Plots {
    static func product(_ builder: Builder) -> Product {
        Product(
            name: "site", summary: "A plot of ground under a domain.",
            specification: Specification(
                schema: [
                    "type": "object", "additionalProperties": false,
                    "properties": [
                        "domain": ["type": "string"], "adopt": ["type": "string"], "analytics": ["type": "string"],
                        "placement": ["type": "object"],
                    ],
                ], overridable: ["domain", "adopt", "analytics", "placement"],
                read: { fields, path throws(CoreError) in
                    if fields["domain"] == "taken.example.org" {
                        throw .invalid(field: "\(path).domain", problem: "is reserved")
                    }
                    return fields
                }),
            verbs: [
                verb(.provision) { scope, _ throws(StepFailure) in try builder.build(scope.service) },
                verb(.terminate, direction: .forward) { _, _ throws(StepFailure) in Plot(json: [:]) },
            ])
    }

    private static func verb(
        _ verb: Verb, direction: SagaDirection = .unwind,
        _ act: @escaping @Sendable (ServiceScope, StepCall) async throws(StepFailure) -> Plot
    ) -> ProductVerb {
        ProductVerb(
            verb, summary: "Works on the plot.",
            saga: SagaDefinition(
                kind: verb.name, direction: direction,
                steps: [
                    SagaStep(
                        StepKey<Plot>("plot"), retry: RetryPolicy(attempts: 1, first: .zero, most: .zero),
                        act: act)
                ]),
            scope: { $0 },
            conclude: { service, _, outputs in service.address = outputs["plot"]?.asObject ?? [:] })
    }
}

/// Where a plot is, as the step hands it on.
struct Plot: StepOutput {
    var object: JSONObject
    init(json: JSONValue) { object = json.asObject ?? [:] }
    var json: JSONValue { .object(object) }
}

/// Says what becomes of each plot.
final class Builder: Sendable {
    struct State {
        /// Why domains cannot be had.
        var refusals: [String: String] = [:]
        /// Those that are built without a certificate.
        var uncertified: Set<String> = []
        /// How often each was built.
        var built: [String: Int] = [:]
    }

    let state = Mutex(State())

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
    var built: [String: Int] { state.withLock { $0.built } }

    fileprivate func build(_ service: ServiceRecord) throws(StepFailure) -> Plot {
        let domain = service.spec["domain"]?.asString ?? ""
        let result = state.withLock { state -> Result<Plot, StepFailure> in
            state.built[domain, default: 0] += 1
            if let refusal = state.refusals[domain] {
                return .failure(StepFailure(.final, code: "refused", message: refusal, effect: .none))
            }
            var plot: JSONObject = [
                "domain": .string(domain), "user": "user_x", "doc_root": .string("/home/user_x/htdocs/\(domain)"),
                "certificate": "active",
            ]
            if state.uncertified.contains(domain) {
                (plot["certificate"], plot["certificate_reason"]) = ("wanted", "the name does not lead here")
            }
            return .success(Plot(json: .object(plot)))
        }
        return try result.get()
    }
}
