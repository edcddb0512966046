import APIModels
package import ControllerCore
package import HTTP
import HTTPTypes
import Model
import WireProtocol

/// The API by which a hub had the sites of its database made before this controller was: its paths, bodies and answers, on the same
/// core. docs/compatibility/hosting.md has them all.
package struct HostingAPI: Sendable {
    let operations: Operations
    let settings: Settings

    package struct Settings: Sendable, Hashable {
        /// What rows become, whose they are, and what they are told.
        package var queue: QueueSettings
        /// Whether requests may lead into private networks, and to this machine.
        package var allowsPrivate = false

        package init() {
            // A site that is there already is as good as one that was made.
            queue = QueueSettings(plan: "site", customer: "hosting", adopts: true)
        }
    }

    /// Below it on listeners of the whole API.
    package static let prefix = "/compat/hosting"

    package init(operations: Operations, settings: Settings = Settings()) {
        (self.operations, self.settings) = (operations, settings)
    }

    /// - Parameters:
    ///   - prefix: before each path.
    ///   - authenticator: tells who asks.
    package func list(below prefix: String = "", authenticator: Authenticator) -> EndpointList {
        EndpointList(endpoints(below: prefix), below: prefix, authenticator: authenticator, errors: HostingErrors.shape)
    }

    package func endpoints(below prefix: String = "") -> [Endpoint] {
        [
            Endpoint(
                .post, "\(prefix)/process", .services,
                .init(
                    summary: "Take the rows of a database that wait for a site", tag: "hosting",
                    body: ProcessBody.self, status: 202)
            ) { call in try await process(call.model(ProcessBody.self), call) },
            Endpoint(
                .get, "\(prefix)/health", nil, .init(summary: "Whether requests are taken", tag: "hosting")
            ) { _ in
                try await operations.isReady()
                return .hosting(["status": "healthy", "service": "hosting-automator"])
            },
            Endpoint(
                .get, "\(prefix)/", nil, .init(summary: "What this is", tag: "hosting")
            ) { _ in .hosting(["service": "hosting-automator", "status": "running"]) },
        ]
    }

    private func process(_ body: ProcessBody, _ call: APICall) async throws -> Answer {
        let credentials = try body.credentials(allowsPrivate: settings.allowsPrivate)
        let sites = try await operations.process(
            credentials, settings.queue, only: body.siteID?.value, by: call.requester)
        let listed = sites.map { site -> JSONValue in
            [
                "id": site.id, "domain": .string(site.domain),
                "operation": site.operation.map { .string($0) } ?? .null,
            ]
        }
        return .hosting(["status": "accepted", "sites": .array(listed)], status: 202)
    }
}

/// `POST /process`.
struct ProcessBody: Decodable, Sendable {
    var supabaseURL: String
    var supabaseServiceKey: String
    /// The one row that is wanted; all that wait without it.
    var siteID: RowKey?
    /// Where visits are counted, and by which token; without them by the plan's integration.
    var matomoURL: String?
    var matomoToken: String?

    func credentials(allowsPrivate: Bool) throws(Problem) -> QueueCredentials {
        var matomo: JSONObject?
        switch (matomoURL, matomoToken) {
        case (nil, nil): break
        case (let url?, let token?):
            try Self.check(url, "matomo_url", allowsPrivate)
            matomo = ["url": .string(url), "token": .string(token)]
        case (nil, _): throw Problem(.invalidField, "matomo_url is missing: matomo_token is given", field: "matomo_url")
        case (_, nil):
            throw Problem(.invalidField, "matomo_token is missing: matomo_url is given", field: "matomo_token")
        }
        try Self.check(supabaseURL, "supabase_url", allowsPrivate)
        guard (1...4096).contains(supabaseServiceKey.utf8.count) else {
            throw Problem(
                .invalidField, "supabase_service_key must be 1 to 4096 characters", field: "supabase_service_key")
        }
        return QueueCredentials(
            tables: ["url": .string(supabaseURL), "key": .string(supabaseServiceKey)], matomo: matomo,
            allowsPrivate: allowsPrivate)
    }

    /// Where it leads to in the end is looked at with each call.
    private static func check(_ url: String, _ field: String, _ allowsPrivate: Bool) throws(Problem) {
        let lower = url.lowercased()
        guard (1...2048).contains(url.utf8.count), url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            lower.hasPrefix("https://") || (allowsPrivate && lower.hasPrefix("http://"))
        else {
            throw Problem(.invalidField, "\(field) must be an address that begins with https://", field: field)
        }
    }
}

/// Some databases count rows, others name them.
struct RowKey: Decodable, Sendable {
    let value: JSONValue

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int64.self) {
            value = .integer(number)
            return
        }
        let text = try container.decode(String.self)
        guard (1...128).contains(text.utf8.count), VisibleText.isVisible(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "must be a whole number or 1 to 128 characters")
        }
        value = .string(text)
    }
}

/// Errors as this API tells them: `{"detail": "…"}`.
enum HostingErrors {
    static let shape = ErrorShape(
        { error in
            switch error {
            case let error as PortError: Problem(error)
            case CoreError.invalid(let field, let problem):
                Problem(.invalidField, "\(name(of: field)) \(problem)", field: name(of: field))
            default: Problem(core: error)
            }
        },
        body: { problem in
            (JSONValue.object(["detail": .string(problem.detail)]).encoded, "application/json")
        },
        // As its framework had it.
        status: { problem in problem.kind == .invalidField ? 422 : problem.status })

    /// What this API calls what the core calls a field.
    private static func name(of field: String) -> String {
        switch field {
        case "tables.url": "supabase_url"
        case "tables.service_key": "supabase_service_key"
        case "matomo.url": "matomo_url"
        case "matomo.token": "matomo_token"
        default: field
        }
    }
}

extension Problem {
    /// Why the database could not be read.
    fileprivate init(_ error: PortError) {
        switch error.kind {
        case .silent, .busy: self.init(.unavailable, error.message, retryable: true)
        case .refused, .conflict, .notSetUp: self.init(.conflict, error.message)
        }
    }
}

extension APICall {
    /// Who asks, as the core wants to know it.
    fileprivate var requester: Requester {
        Requester(
            name: caller.actor, remote: caller.remote, idempotencyKey: idempotencyKey, customer: caller.customer)
    }
}

extension Answer {
    fileprivate static func hosting(_ body: JSONObject, status: Int = 200) -> Answer {
        .json(JSONValue.object(body).encoded, status: status, location: nil)
    }
}
