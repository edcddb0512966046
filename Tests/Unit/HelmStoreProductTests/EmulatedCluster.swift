import AgentCommands
import DriverKit
import Glibc
import HelmDriver
import Logging
import Processes
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import ControllerCore

/// A node with the Helm driver, whose tools keep an emulated cluster: what the packaged chart makes is rendered by Helm's own code.
final class EmulatedCluster: Sendable {
    private let folder: ScratchFolder
    private let driver: HelmDriver
    private let receipts = Mutex<[String: CommandResult]>([:])
    /// Each action with what became of it.
    let log = Mutex<[String]>([])
    /// Called before an action, and after one that failed.
    private let before = Mutex<BeforeAction?>(nil)
    private let afterFailure = Mutex<AfterFailure?>(nil)
    typealias BeforeAction = @Sendable (EmulatedCluster, ActionCall) throws -> Void
    typealias AfterFailure = @Sendable (EmulatedCluster) throws -> Void

    func beforeAction(_ hook: BeforeAction?) { before.withLock { $0 = hook } }
    func onFailure(_ hook: AfterFailure?) { afterFailure.withLock { $0 = hook } }
    var told: String { log.withLock { $0.joined(separator: "; ") } }

    /// - Parameter patience: how long the node waits for a command that only looks.
    init(_ settings: JSONObject = [:], patience: Duration = .seconds(30)) async throws {
        folder = try ScratchFolder("shops")
        let made = try await Child.run(
            ProcessRequest(Checkout.emulator("kubernetes/node"), [folder.path], deadline: .seconds(60)))
        try #require(made.succeeded, "\(made.errorText)")
        let path = folder.path
        let tools = HelmTools(
            helm: ["\(path)/usr/local/bin/helm"], kubectl: ["\(path)/usr/local/bin/kubectl"],
            kubeconfig: "\(path)/root/.kube/config", home: "\(path)/helm", chartSources: ["\(path)/charts/"],
            patience: patience, grace: .seconds(1))
        driver = HelmDriver(tools: tools, version: "3.21.4", pause: .milliseconds(50))
        try set(settings)
    }

    var chart: JSONValue { .string(folder.file("charts/shop")) }

    /// Another cluster from now on: with these settings, and otherwise quick and in order.
    func set(_ settings: JSONObject) throws {
        let base: JSONObject = ["pace": 0.002, "ready_after": 20]
        try folder.write(JSONValue.object(base.merged(with: settings)).encoded, to: "emulator.json")
        unlink(folder.file("var/away"))
    }

    /// What lies in the claim of the shop's backups: names, and the number that each has of all that were made.
    func backups() throws -> JSONObject {
        try namespaces().first.flatMap { try state()["namespaces"]?[$0]?["backups"]?.asObject } ?? [:]
    }

    func state() throws -> JSONValue { try JSONParser.parse(folder.read("var/cluster.json")[...], limits: .local) }

    func change(_ body: (inout JSONObject) -> Void) throws {
        var state = try state().asObject ?? [:]
        body(&state)
        try folder.write(JSONValue.object(state).encoded, to: "var/cluster.json")
    }

    /// Those of shops.
    func namespaces() throws -> [String] {
        (try state()["namespaces"]?.asObject?.keys ?? []).filter { $0.hasPrefix("store-") }.sorted()
    }

    func objects(_ kind: String) throws -> [JSONValue] {
        let space = try namespaces().first.flatMap { try state()["namespaces"]?[$0] }
        return (space?["objects"]?.asArray ?? []).filter { $0["kind"]?.asString == kind }
    }

    var port: AgentsPort {
        AgentsPort(
            perform: { call, _ throws(AgentError) in await self.perform(call) }, connected: { ["nod_1"] })
    }

    private func perform(_ call: AgentCommand) async -> CommandResult {
        if let known = receipts.withLock({ $0[call.id] }) { return known }
        var arguments = call.arguments
        // Real time, which the tests have less of.
        if call.action == "namespace.remove" { arguments["timeout_s"] = 1 }
        let order = ActionCall(
            action: call.action, resource: call.resource, arguments: arguments, secrets: call.secrets)
        let context = ActionContext(
            commandID: call.id, logger: Logger(label: "test"), output: { _, _ throws(CancellationError) in })
        let result: CommandResult
        do throws(DriverError) {
            if let hook = before.withLock({ $0 }) { try? hook(self, order) }
            let outcome = try await driver.perform(order, context)
            result = CommandResult(
                id: call.id, status: .succeeded, changed: outcome.changed, observed: outcome.observed, finished: 1)
        } catch {
            result = CommandResult(
                id: call.id, status: .failed, changed: error.changed,
                error: CommandError(
                    code: CommandErrorCode(code: error.code.rawValue), message: error.message,
                    retryable: error.retryable, operation: "helm.\(call.action)", resource: call.resource,
                    detail: error.cause), finished: 1)
            if let hook = afterFailure.withLock({ $0 }) { try? hook(self) }
        }
        log.withLock { $0.append("\(call.action) \(result.error?.code.code ?? "")") }
        receipts.withLock { $0[call.id] = result }
        return result
    }
}
