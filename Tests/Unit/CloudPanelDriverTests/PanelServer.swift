import CloudPanelDriver
import DriverKit
import Glibc
import Logging
import Processes
import SQLite
import TestSupport
import Testing
import WireProtocol

/// An emulated CloudPanel server in a folder of its own, and the driver before it.
final class PanelServer: Sendable {
    let folder: ScratchFolder
    let driver: CloudPanelDriver
    let context = ActionContext(commandID: "test", logger: Logger(label: "test"))
    var root: String { folder.path }

    /// - Parameter settings: of the emulator, beside its pace.
    init(_ settings: JSONObject = [:], gatePatience: Duration = .seconds(60)) async throws {
        folder = try ScratchFolder("panel")
        driver = CloudPanelDriver(
            places: PanelPlaces(root: folder.path), patience: .seconds(30), gatePatience: gatePatience)
        try set(settings)
        let outcome = try await Child.run(
            ProcessRequest(Checkout.emulator("cloudpanel/node"), [root], deadline: .seconds(60)))
        try #require(outcome.succeeded, "\(outcome.errorText)")
    }

    func set(_ settings: JSONObject) throws {
        var all: JSONObject = ["pace": 0.01]
        for member in settings.members { all[member.key] = member.value }
        try folder.write(JSONValue.object(all).encoded, to: "emulator.json")
    }

    func perform(
        _ operation: String, on resource: String, _ arguments: JSONObject = [:], secrets: JSONObject = [:]
    ) async throws -> ActionOutcome {
        let call = ActionCall(
            action: operation, resource: "cloudpanel/\(resource)", arguments: arguments, secrets: secrets)
        return try await driver.perform(call, context)
    }

    func site(_ operation: String, _ domain: String, _ more: JSONObject = [:]) async throws -> ActionOutcome {
        var arguments: JSONObject = ["domain": .string(domain)]
        for member in more.members { arguments[member.key] = member.value }
        return try await perform("site.\(operation)", on: "site/\(domain)", arguments)
    }

    @discardableResult
    func addStatic(_ domain: String = "example.com", user: String = "s1") async throws -> ActionOutcome {
        try await site("add", domain, ["type": "static", "user": .string(user)])
    }

    /// The error of something that must not work.
    func failure(_ body: () async throws -> ActionOutcome) async -> DriverError? {
        await #expect(throws: DriverError.self) { _ = try await body() }
    }

    /// Another caller of the tool: an operator.
    @discardableResult
    func clpctl(_ words: String...) async throws -> ProcessOutcome {
        try await Child.run(ProcessRequest("\(root)/usr/bin/clpctl", words, deadline: .seconds(60)))
    }

    func has(_ path: String) -> Bool { access("\(root)/\(path)", F_OK) == 0 }

    func text(_ path: String) -> String {
        (try? folder.read(path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Changes the panel's database behind the back of everybody.
    func sql(_ script: String) throws {
        try SQLiteDatabase(
            path: folder.file("home/clp/htdocs/app/data/db.sq3"), options: SQLiteOptions(access: .readWrite)
        ).execute(script)
    }

    /// Puts a shell script in the tool's place.
    func replaceTool(with script: String) throws {
        unlink("\(root)/usr/bin/clpctl")
        try folder.write(Array("#!/bin/sh\n\(script)\n".utf8), to: "usr/bin/clpctl")
        try #require(chmod("\(root)/usr/bin/clpctl", 0o755) == 0)
    }

    /// Whether nginx would start with what is there.
    func nginxAccepts() async throws -> Bool {
        try await Child.run(ProcessRequest("\(root)/usr/sbin/nginx", ["-t"], deadline: .seconds(60))).succeeded
    }

    func names(in path: String) throws -> [String] {
        guard let listing = opendir("\(root)/\(path)") else { return [] }
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

    var reloads: Int { text("run/nginx-reloads").split(separator: "\n").count }
}
