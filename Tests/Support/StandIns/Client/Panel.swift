import Processes
package import TestSupport
package import WireProtocol

/// A billing panel with the extension of the package in it: its database is a file, and each call, page and form is a process of its
/// own, as the panel's workers are.
package struct Panel: Sendable {
    package let folder: ScratchFolder
    private static let program = "\(Checkout.root)/Tests/Support/StandIns/paymenter/run"
    private static let extensionFolder = "\(Checkout.root)/packaging/billing/paymenter/Innkeeper"

    /// What came of a call.
    package struct Outcome: Sendable {
        package var value: JSONValue
        /// Nil where it went well.
        package var error: String?
        /// Of the error.
        package var kind: String?
    }

    /// - Parameters:
    ///   - settings: of the server, over those that are needed.
    ///   - product: the settings of the one product.
    package init(
        url: String, key: String, authority: String, settings: JSONObject = [:], product: JSONObject,
        services: ClosedRange<Int> = 17...17
    ) throws {
        folder = try ScratchFolder("panel")
        var server: JSONObject = [
            "url": .string(url), "key": .string(key), "authority": .string(authority), "instance": "shop", "wait": 40,
        ]
        for key in settings.keys { server[key] = settings[key] }
        let rows = services.map { id in
            (
                "\(id)",
                JSONValue.object([
                    "user_id": 7, "product_id": "p1", "status": "active", "quantity": 1, "options": .object([:]),
                ])
            )
        }
        let database: JSONObject = [
            "servers": ["s1": ["extension": "Innkeeper", "settings": .object(server)]],
            "products": ["p1": ["server": "s1", "settings": .object(product)]],
            "users": ["7": ["email": "jane@example.org"], "8": ["email": "john@example.org"]],
            "services": .object(JSONObject(rows)),
        ]
        try folder.write(JSONValue.object(database).encoded, to: "panel.json")
        self.server = server
    }

    /// The settings of the server.
    package let server: JSONObject

    @discardableResult
    package func run(_ words: String..., environment: [String: String] = [:]) async throws -> Outcome {
        let outcome = try await Child.run(
            ProcessRequest(
                "php", [Self.program, folder.file("panel.json"), Self.extensionFolder] + words,
                environment: environment, deadline: .seconds(90)))
        guard outcome.succeeded, let said = try? JSONParser.parse(Array(outcome.outputText.utf8)) else {
            throw SetupFailure("php \(words): \(outcome.exit) \(outcome.outputText) \(outcome.errorText)")
        }
        return Outcome(value: said["value"] ?? .null, error: said["error"]?.asString, kind: said["class"]?.asString)
    }

    /// A job or a button of a service: `createServer`.
    @discardableResult
    package func call(
        _ method: String, _ service: Int = 17, environment: [String: String] = [:]
    ) async throws -> Outcome {
        try await run("call", "\(service)", method, environment: environment)
    }

    /// The same, for what must go well.
    @discardableResult
    package func must(_ method: String, _ service: Int = 17) async throws -> JSONValue {
        let outcome = try await call(method, service)
        if let error = outcome.error { throw SetupFailure("\(method): \(error)") }
        return outcome.value
    }

    /// Of a service's row.
    package func set(_ column: String, _ value: JSONValue, of service: Int = 17) async throws {
        try await run("set", "\(service)", column, value.text)
    }

    /// A method that wants no service, under these settings of the server.
    package func plain(_ method: String, _ settings: JSONObject, _ arguments: JSONValue...) async throws -> Outcome {
        let words = ["plain", JSONValue.object(settings).text, method] + arguments.map(\.text)
        let outcome = try await Child.run(
            ProcessRequest(
                "php", [Self.program, folder.file("panel.json"), Self.extensionFolder] + words, deadline: .seconds(90)))
        let said = try JSONParser.parse(Array(outcome.outputText.utf8))
        return Outcome(value: said["value"] ?? .null, error: said["error"]?.asString, kind: said["class"]?.asString)
    }

    /// A form on a page, as a person sends it.
    @discardableResult
    package func send(
        _ act: String, _ fields: [String: String], user: Int = 7, token: String = "token-of-this-session"
    ) async throws -> Outcome {
        var all: JSONObject = ["_token": .string(token)]
        for (key, value) in fields { all[key] = .string(value) }
        return try await run("send", "\(user)", "/extensions/innkeeper/17/\(act)", JSONValue.object(all).text)
    }
}
