import ControllerCore
import Model
import Saga
import Store
import WireProtocol

/// What the steps of a site's sagas work in.
struct PanelScope: ServiceWork {
    let scope: ServiceScope
    let spec: CloudSiteSpec
}

extension PanelScope {
    /// What people call it.
    static let noun = "site"
    /// The panel does one thing at a time: a command may wait for those of many other sites before it begins.
    static let patience = Duration.seconds(3600)

    /// What an upgrade makes of it; what it is, for any other operation.
    func wanted() throws(StepFailure) -> CloudSiteSpec {
        guard let json = operation.parameters["spec"]?.asObject else { return spec }
        do throws(CoreError) { return try CloudSiteSpec(json: json) } catch {
            throw StepFailure(.final, code: "invalid", message: "\(error)", effect: .none)
        }
    }

    /// The place that the service holds.
    func place() async throws(StepFailure) -> PanelPlace {
        guard let place = try await placeIfAny() else {
            throw .refused("not_placed", "the service holds no place on any node")
        }
        return place
    }

    func placeIfAny() async throws(StepFailure) -> PanelPlace? {
        let id = service.id
        return try await locally { store throws(StoreError) in .success(try store.panelSite(of: id)) }
    }

    /// A line in the operation's log.
    func note(_ call: StepCall, _ text: String) { scope.note(call.step, text) }

    // MARK: orders

    /// Gives an order on the site; whose it is goes along, and is compared by the node.
    func order(
        _ action: String, _ place: PanelPlace, _ arguments: JSONObject, secrets: JSONObject = [:],
        nonce: String? = nil, _ call: StepCall
    ) async throws(StepFailure) -> JSONObject {
        let request = ActionRequest(
            driver: "cloudpanel", action: action, resource: place.resource,
            arguments: arguments.merged(with: ["domain": .string(place.domain)]), secrets: secrets)
        return try await send(request, marked: mark(nonce), as: Self.noun, to: place.node, call)
    }

    func order(_ action: String, _ place: PanelPlace, _ call: StepCall) async throws(StepFailure) -> JSONObject {
        try await order(action, place, [:], call)
    }

    /// What the panel has under the site's domain, whoever's it is; nil for nothing.
    func show(_ place: PanelPlace, _ call: StepCall) async throws(StepFailure) -> PanelSight? {
        let request = ActionRequest(
            driver: "cloudpanel", action: "site.show", resource: place.resource,
            arguments: ["domain": .string(place.domain)])
        do throws(StepFailure) {
            return PanelSight(try await send(request, to: place.node, call.part("show")))
        } catch {
            guard error.code == "not_found" else { throw error }
            return nil
        }
    }

    /// The site, which must be there and the service's.
    func site(_ place: PanelPlace, _ call: StepCall) async throws(StepFailure) -> PanelSight {
        guard let seen = try await show(place, call) else {
            throw .refused(
                "not_found", "the server has no site \(place.domain): restore a backup, or terminate the service",
                place.resource)
        }
        guard seen.owner == service.id else {
            throw await foreign(place.resource, as: Self.noun, on: place.node, because: seen.whose, call)
        }
        try await settle(Self.noun)
        return seen
    }

    /// The site is the service's from here on, and by what its making is known.
    func keep(_ seen: PanelSight, _ place: PanelPlace) async throws(StepFailure) {
        guard let nonce = seen.nonce else { return }
        let id = service.id
        try await locally { store throws(StoreError) -> Result<Void, StepFailure> in
            .success(try store.noteNonce(nonce, of: PanelPlace.siteKind, place.domain, service: id))
        }
    }
}

/// A site as the panel has it.
struct PanelSight: StepOutput, Hashable {
    var user: String
    var type: String
    /// The folder that is served.
    var root: String
    var version: String?
    /// Whose mark it bears; nil for none.
    var owner: String?
    var nonce: String?
    var isSuspended: Bool

    /// By what the making of a site is known that was there before it was ours.
    static let adopted = "adopted:"
    /// Whether it was only taken into care.
    var isAdopted: Bool { nonce?.hasPrefix(Self.adopted) == true }

    init(_ seen: JSONObject) {
        (user, type) = (seen["user"]?.asString ?? "", seen["type"]?.asString ?? "")
        (root, version) = (seen["root"]?.asString ?? "", seen["version"]?.asString)
        (owner, nonce) = (seen["mark"]?["service"]?.asString, seen["mark"]?["nonce"]?.asString)
        isSuspended = seen["suspended"] == true
    }

    init(json: JSONValue) throws { self.init(json.asObject ?? [:]) }

    var json: JSONValue {
        var json: JSONObject = [
            "user": .string(user), "type": .string(type), "root": .string(root), "suspended": .bool(isSuspended),
        ]
        json["version"] = version.map { .string($0) }
        if let owner {
            var mark: JSONObject = ["service": .string(owner)]
            mark["nonce"] = nonce.map { .string($0) }
            json["mark"] = .object(mark)
        }
        return .object(json)
    }

    var whose: String { owner.map { "it bears the mark of \($0.prefix(64))" } ?? "it bears no mark" }
}

extension StepCall {
    /// The same step, under the id of another of its commands.
    func part(_ name: String) -> StepCall {
        StepCall(
            operation: operation, step: step, command: "\(command).\(name)", attempt: attempt, unwinding: unwinding,
            deadline: deadline, context: context, outputs: outputs)
    }

    /// What an earlier step found, where it came so far.
    func found<Output>(_ key: StepKey<Output>) -> Output? {
        outputs[key.name].flatMap { try? Output(json: $0) }
    }
}

extension StepFailure {
    static func refused(_ code: String, _ message: String, _ resource: String? = nil) -> StepFailure {
        StepFailure(.final, code: code, message: message, resource: resource, effect: .none)
    }
}
