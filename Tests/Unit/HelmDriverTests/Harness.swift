import DriverKit
import HelmDriver
import Logging
import Processes
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// An emulated Kubernetes host in a folder of its own, and the driver that works on it.
final class KubernetesNode: Sendable {
    let folder: ScratchFolder
    let driver: HelmDriver
    /// Of its own, because a Helm that works on a release is looked for among all processes.
    let namespace = "store-\(UInt32.random(in: 0 ... .max))"
    /// What operations have sent, both streams in one.
    let sent = Mutex("")
    private static let emulator = Checkout.emulator("kubernetes/node")

    init(
        _ settings: JSONObject = [:], patience: Duration = .seconds(30), chartSources: [String]? = nil,
        allows: Set<ChartRisk> = []
    ) async throws {
        folder = try ScratchFolder("kubernetes")
        let made = try await Child.run(ProcessRequest(Self.emulator, [folder.path], deadline: .seconds(60)))
        try #require(made.succeeded, "\(made.errorText)")
        let path = folder.path
        let tools = HelmTools(
            helm: ["\(path)/usr/local/bin/helm"], kubectl: ["\(path)/usr/local/bin/kubectl"],
            kubeconfig: "\(path)/root/.kube/config", home: "\(path)/helm", chartSources: chartSources,
            allows: allows, patience: patience, grace: .seconds(1))
        driver = HelmDriver(tools: tools, version: "3.21.4", pause: .milliseconds(50))
        try set(settings)
    }

    /// Another cluster from now on: with these settings, and otherwise quick and in order.
    func set(_ settings: JSONObject) throws {
        let base: JSONValue = ["pace": 0.01, "ready_after": 5]
        let all = base.asObject.map {
            JSONObject($0.members.map { ($0.key, $0.value) } + settings.members.map { ($0.key, $0.value) })
        }
        try folder.write(JSONValue.object(all ?? [:]).encoded, to: "emulator.json")
    }

    var context: ActionContext {
        ActionContext(
            commandID: "test", logger: Logger(label: "test"),
            output: { [self] _, bytes throws(CancellationError) in
                sent.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
            })
    }

    func chart(_ version: String) -> JSONValue { .string(folder.file("charts/store-\(version)")) }

    @discardableResult
    func perform(
        _ operation: String, _ arguments: JSONObject = [:], secrets: JSONObject = [:], release: String = "shop"
    ) async throws(DriverError) -> ActionOutcome {
        try await driver.perform(call(operation, arguments, secrets: secrets, release: release), context)
    }

    func call(
        _ operation: String, _ arguments: JSONObject = [:], secrets: JSONObject = [:], release: String = "shop"
    ) -> ActionCall {
        var all: JSONObject = ["namespace": .string(namespace), "release": .string(release)]
        for member in arguments.members { all[member.key] = member.value }
        return ActionCall(
            action: "release.\(operation)", resource: "helm/\(namespace)/\(release)", arguments: all,
            secrets: secrets)
    }

    @discardableResult
    func install(
        _ version: String = "1.0.0", _ values: JSONObject = [:], wait: Bool = false
    ) async throws(DriverError) -> ActionOutcome {
        try await perform("install", ["chart": chart(version), "values": .object(values), "wait": .bool(wait)])
    }

    /// Each command line so far, with its environment.
    func calls() throws -> [JSONValue] {
        try folder.read("var/calls.log").split(separator: 10).map { try JSONParser.parse($0, limits: .local) }
    }

    func calls(of tool: String, _ verb: String) throws -> [JSONValue] {
        try calls().filter { $0["tool"]?.asString == tool && $0["words"]?.asArray?.first?.asString == verb }
    }

    /// Waits until a command has come to a point.
    func reached(_ note: String) async -> Bool {
        await eventually {
            ((try? self.folder.read("var/notes")).map { String(decoding: $0, as: UTF8.self) } ?? "").contains(note)
        }
    }

    func statuses() async throws -> [String] {
        let outcome = try await perform("history")
        return (outcome.observed["revisions"]?.asArray ?? []).compactMap { $0["status"]?.asString }
    }
}

/// The error of an operation that has to fail.
func refusal(_ work: () async throws -> ActionOutcome) async -> DriverError? {
    await #expect(throws: DriverError.self) { _ = try await work() }
}
