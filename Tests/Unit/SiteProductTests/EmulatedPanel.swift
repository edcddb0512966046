import AgentCommands
import CloudPanelDriver
import DriverKit
import Glibc
import Logging
import Processes
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import ControllerCore

/// A node with the CloudPanel driver, whose tool keeps an emulated panel.
final class EmulatedPanel: Sendable {
    let folder: ScratchFolder
    private let driver: CloudPanelDriver
    private let receipts = Mutex<[String: CommandResult]>([:])
    /// Each action with what became of it.
    let log = Mutex<[String]>([])
    var told: String { log.withLock { $0.joined(separator: "; ") } }
    private let node: String
    /// Actions that fail the next time, before anything is done.
    let failing = Mutex<Set<String>>([])

    init(_ settings: JSONObject = [:], node: String = "nod_1") async throws {
        self.node = node
        folder = try ScratchFolder("sites")
        driver = CloudPanelDriver(
            places: PanelPlaces(root: folder.path), patience: .seconds(30), gatePatience: .seconds(60))
        try set(settings)
        let made = try await Child.run(
            ProcessRequest(Checkout.emulator("cloudpanel/node"), [folder.path], deadline: .seconds(60)))
        try #require(made.succeeded, "\(made.errorText)")
    }

    func set(_ settings: JSONObject) throws {
        let base: JSONObject = ["pace": 0.01]
        try folder.write(JSONValue.object(base.merged(with: settings)).encoded, to: "emulator.json")
    }

    /// Somebody at the server's own command line.
    @discardableResult
    func clpctl(_ words: String...) async throws -> ProcessOutcome {
        try await Child.run(ProcessRequest("\(folder.path)/usr/bin/clpctl", words, deadline: .seconds(60)))
    }

    func has(_ path: String) -> Bool { access("\(folder.path)/\(path)", F_OK) == 0 }

    func text(_ path: String) -> String {
        (try? folder.read(path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    func names(in path: String) throws -> [String] {
        guard let listing = opendir("\(folder.path)/\(path)") else { return [] }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.filter { $0 != "." && $0 != ".." }
    }

    func show(_ domain: String) async throws -> JSONObject {
        let call = ActionCall(
            action: "site.show", resource: "cloudpanel/site/\(domain)", arguments: ["domain": .string(domain)],
            secrets: [:])
        return try await driver.perform(call, context("look")).observed
    }

    var port: AgentsPort {
        AgentsPort(
            perform: { call, _ throws(AgentError) in await self.perform(call) }, connected: { [self.node] })
    }

    private func context(_ id: String) -> ActionContext {
        ActionContext(commandID: id, logger: Logger(label: "test"), output: { _, _ throws(CancellationError) in })
    }

    func perform(_ call: AgentCommand) async -> CommandResult {
        if let known = receipts.withLock({ $0[call.id] }) { return known }
        let order = ActionCall(
            action: call.action, resource: call.resource, arguments: call.arguments, secrets: call.secrets)
        let result: CommandResult
        do throws(DriverError) {
            if failing.withLock({ $0.remove(call.action) }) != nil { throw DriverError(.failed, "it was told to fail") }
            let outcome = try await driver.perform(order, context(call.id))
            result = CommandResult(
                id: call.id, status: .succeeded, changed: outcome.changed, observed: outcome.observed, finished: 1)
        } catch {
            result = CommandResult(
                id: call.id, status: .failed, changed: error.changed,
                error: CommandError(
                    code: CommandErrorCode(code: error.code.rawValue), message: error.message,
                    retryable: error.retryable, operation: "cloudpanel.\(call.action)", resource: call.resource,
                    detail: error.cause), finished: 1)
        }
        log.withLock { $0.append("\(call.action) \(result.error?.code.code ?? "")") }
        receipts.withLock { $0[call.id] = result }
        return result
    }
}
