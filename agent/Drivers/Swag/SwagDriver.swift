package import DockerDriver
package import DriverKit
import Glibc
import Model
import WireProtocol

/// SWAG, the reverse proxy: an nginx in a container that publishes what lies in its folder of proxy configurations.
/// It has no API; everything is files, `nginx -t` and a reload.
package struct SwagDriver: Driver {
    package static let name = "swag"

    /// How to get at nginx and its files.
    package enum Access: Sendable {
        /// The container is looked for by its image, or has this name.
        case container(DockerDriver, name: String?)
        /// An nginx of the node with the same folders.
        case command([String], folder: String)
    }

    /// One change at a time: each is judged by a check of all files together.
    package let concurrency = 1
    package var actions: [ActionSpec] { Self.table.map(\.spec) }
    package var version: String { "unknown" }

    let access: Access
    let marks: MarkFolder

    /// - Parameter marks: the folder that says whose each configuration is; for root alone.
    package init(_ access: Access, marks: String = "/var/lib/innkeeper/swag/marks") {
        self.access = access
        self.marks = MarkFolder(marks)
    }

    /// The driver where there is a SWAG container, running or not, and wherever the node's configuration names one: the
    /// engine may still be starting.
    package static func detect(docker: DockerDriver?, container: String?) async -> SwagDriver? {
        guard let docker else { return nil }
        let driver = SwagDriver(.container(docker, name: container))
        if container != nil { return driver }
        return await driver.isThere() ? driver : nil
    }

    private func isThere() async -> Bool {
        do {
            _ = try await installation()
            return true
        } catch { return error.code == .conflict }
    }

    package func absence() async -> String? {
        do {
            _ = try await installation()
            return nil
        } catch { return error.code == .conflict ? nil : error.message }
    }

    package func perform(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        try await Self.table.perform(call, on: self, context)
    }

    private static let table = rows.taking(
        arguments, marked: ["config.ensure", "config.write", "config.remove"])

    private static let rows: [Action<SwagDriver>] = [
        Action(ActionSpec("installation.inspect", .observe, summary: "finds SWAG and says how it is")) {
            (driver, call, context) throws(DriverError) in try await driver.inspect(call, context)
        },
        Action(ActionSpec("config.list", .observe, summary: "lists proxy configurations and samples")) {
            (driver, call, _) throws(DriverError) in try await driver.list(call)
        },
        Action(ActionSpec("config.read", .observe, summary: "shows one proxy configuration or sample")) {
            (driver, call, _) throws(DriverError) in try await driver.read(call)
        },
        Action(ActionSpec("config.check", .observe, summary: "lets nginx check its configuration")) {
            (driver, call, context) throws(DriverError) in try await driver.check(call, context)
        },
        Action(ActionSpec("config.generate", .observe, summary: "shows the file that would be written")) {
            (driver, call, _) throws(DriverError) in try await driver.generate(call)
        },
        Action(
            ActionSpec(
                "config.ensure", .mutate, defaultDeadline: .seconds(120),
                summary: "publishes an upstream under names of its own")
        ) { (driver, call, context) throws(DriverError) in try await driver.ensure(call, context) },
        Action(
            ActionSpec(
                "config.write", .mutate, defaultDeadline: .seconds(120),
                summary: "writes a proxy configuration as it is given")
        ) { (driver, call, context) throws(DriverError) in try await driver.write(call, context) },
        Action(ActionSpec("config.mark", .mutate, summary: "gives a configuration without a mark its mark")) {
            (driver, call, context) throws(DriverError) in try await driver.markConfiguration(call, context)
        },
        Action(
            ActionSpec(
                "config.remove", .mutate, defaultDeadline: .seconds(120), summary: "removes a proxy configuration")
        ) { (driver, call, context) throws(DriverError) in try await driver.remove(call, context) },
        Action(ActionSpec("config.reload", .mutate, summary: "checks the configuration and reloads nginx")) {
            (driver, call, context) throws(DriverError) in try await driver.reload(call, context)
        },
    ]
}
