import ControllerCore
import Model
import ProductKit
import Saga
import Store
import WireProtocol

/// What the steps of a shop's sagas work in.
struct StoreScope: ServiceWork {
    let scope: ServiceScope
    let spec: StoreSpec
}

/// What of a shop runs, as its chart knows it.
enum StoreMode: String, Sendable {
    case running, suspended
    /// The database alone, for work on the data.
    case maintenance
}

/// Work on a shop's data that its chart does once.
struct StoreTask: Sendable {
    enum Kind: String, Sendable { case backup, restore, remove, prune }

    var kind: Kind
    var id: String
    /// The backup that is restored or removed, or the oldest that is kept.
    var from = ""
}

extension StoreScope {
    /// What an upgrade makes of it; what it is, for any other operation.
    func wanted() throws(StepFailure) -> StoreSpec {
        guard let json = operation.parameters["spec"]?.asObject else { return spec }
        do throws(CoreError) { return try StoreSpec(json: json) } catch {
            throw StepFailure(.final, code: "invalid", message: "\(error)", effect: .none)
        }
    }

    /// The place that the service holds.
    func place() async throws(StepFailure) -> StorePlace {
        guard let place = try await placeIfAny() else {
            throw .refused("not_placed", "the service holds no place on any node")
        }
        return place
    }

    func placeIfAny() async throws(StepFailure) -> StorePlace? {
        let id = service.id
        return try await locally { store throws(StoreError) in .success(try store.shop(of: id)) }
    }

    var mark: JSONValue { ["service": .string(service.id)] }

    /// A setup that has failed stays so in the cluster: whoever tries again makes another. What comes later leaves it alone.
    private var attempt: String {
        let isNew = [Verb.provision.name, Verb.repair.name].contains(scope.verb.name)
        return isNew ? "\(operation.position)" : service.observed["attempt"]?.asString ?? ""
    }

    // MARK: orders

    func send(
        _ action: String, about place: StorePlace, _ arguments: JSONObject, _ call: StepCall
    ) async throws(StepFailure) -> JSONObject {
        var arguments = arguments
        arguments["namespace"] = .string(place.namespace)
        let isRelease = action.hasPrefix("release.")
        if isRelease { arguments["release"] = .string(place.release) }
        if isRelease, arguments["mark"] != nil { arguments["own_namespace"] = true }
        return try await send(
            ActionRequest(
                driver: "helm", action: action, resource: isRelease ? place.resource : place.space,
                arguments: arguments), to: place.node, call)
    }

    /// Sees to it that the release is there, of the chart and with the values. Whether it is ready is another step's question.
    /// - Returns: what was observed, and since when it is waited for.
    func release(
        _ place: StorePlace, _ spec: StoreSpec, _ mode: StoreMode, _ task: StoreTask? = nil, _ call: StepCall
    ) async throws(StepFailure) -> JSONObject {
        let found = try await send("release.status", about: place, [:], call.part("look"))
        // One that was never in force is made anew, whatever is left of it; before that the driver frees what hangs.
        let isThere = ["deployed", "pending-upgrade", "pending-rollback"].contains(found["status"]?.asString ?? "")
        var arguments: JSONObject = [
            "chart": .string(spec.chart.chart), "values": .object(spec.values(of: place, mode, task, attempt)),
            "create_namespace": false, "wait": false, "timeout_s": .integer(spec.patience.timeoutSeconds),
            "mark": mark,
        ]
        arguments["version"] = spec.chart.version.map { .string($0) }
        arguments["repo"] = spec.chart.repo.map { .string($0) }
        var seen: JSONObject
        do throws(StepFailure) {
            seen = try await send(
                isThere ? "release.upgrade" : "release.install", about: place, arguments, call)
        } catch { throw error.explained }
        seen["since"] = .integer(dependencies.clock.now().milliseconds)
        return seen
    }
}

extension StoreSpec {
    /// All that the chart is told.
    func values(of place: StorePlace, _ mode: StoreMode, _ task: StoreTask?, _ attempt: String) -> JSONObject {
        var own: JSONObject = [
            "engine": .string(engine.rawValue), "host": .string(place.host), "mode": .string(mode.rawValue),
            "title": .string(title ?? place.host),
            "credentials": ["existing": .string(StoreSteps.credentials)],
            "storage": ["files": .string("\(filesGiB)Gi"), "database": .string("\(databaseGiB)Gi")],
            "backups": [
                "enabled": .bool(backups.retention > 0), "size": .string("\(backups.sizeGiB)Gi"),
            ],
            "setup": ["attempt": .string(attempt)],
            "task": [
                "kind": .string(task?.kind.rawValue ?? "none"), "id": .string(task?.id ?? ""),
                "from": .string(task?.from ?? ""),
            ],
        ]
        if !tls { own["tls"] = ["enabled": false] }
        if let email { own["admin"] = ["email": .string(email)] }
        if let version {
            own[engine.rawValue == "medusa" ? "images" : "woocommerce"] =
                engine == .medusa ? ["medusa": ["tag": .string(version)]] : ["version": .string(version)]
        }
        return values.deeplyMerged(with: environmentValues).deeplyMerged(with: own)
    }

    func url(_ place: StorePlace) -> String { "\(tls ? "https" : "http")://\(place.host)" }
}

extension JSONObject {
    /// As Helm lays one file of values over another.
    func deeplyMerged(with other: JSONObject) -> JSONObject {
        var result = self
        for member in other.members {
            if let below = result[member.key]?.asObject, let above = member.value.asObject {
                result[member.key] = .object(below.deeplyMerged(with: above))
            } else {
                result[member.key] = member.value
            }
        }
        return result
    }
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
