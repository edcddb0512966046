import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import WireProtocol

extension APIResources {
    /// Services of others: DNS, proxies, panels.
    var integrations: [Endpoint] { integrationViews + integrationChanges }

    private var integrationViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/integration-kinds", .read,
                .init(
                    summary: "What can be set up, each with the schema of its settings", tag: "integrations",
                    answer: Listing<IntegrationKindView>.self)
            ) { _ in
                try .model(Listing(items: operations.integrationKinds.map { IntegrationKindView($0) }))
            },
            Endpoint(
                .get, "/api/v1/integrations", .read,
                .init(
                    summary: "All that are set up, by name", tag: "integrations", answer: Listing<IntegrationView>.self)
            ) { call in
                try await .model(Listing(items: queries(call).integrations().map { IntegrationView($0) }))
            },
            Endpoint(
                .get, "/api/v1/integrations/{integration}", .read,
                .init(
                    summary: "One integration, without its secrets", tag: "integrations", answer: IntegrationView.self)
            ) { call in
                try await .model(IntegrationView(queries(call).integration(call.path("integration"))))
            },
        ]
    }

    private var integrationChanges: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/integrations", .admin,
                .init(
                    summary: "Set one up; its service is not called yet", tag: "integrations",
                    body: IntegrationRequest.self, answer: IntegrationView.self, status: 201)
            ) { call in
                let request = try call.model(IntegrationRequest.self)
                let made = try await operations.addIntegration(
                    name: request.name, kind: request.kind, settings: request.settings.fields("settings"),
                    by: call.requester)
                return try .model(IntegrationView(made), status: 201, location: "/api/v1/integrations/\(made.name)")
            },
            Endpoint(
                .put, "/api/v1/integrations/{integration}", .admin,
                .init(
                    summary: "Change its settings as a whole; secrets that are not given stay", tag: "integrations",
                    body: IntegrationChange.self, answer: IntegrationView.self)
            ) { call in
                let change = try call.model(IntegrationChange.self)
                return try await .model(
                    IntegrationView(
                        operations.updateIntegration(
                            name: call.path("integration"), settings: change.settings.fields("settings"),
                            by: call.requester)))
            },
            Endpoint(
                .post, "/api/v1/integrations/{integration}/test", .admin,
                .init(
                    summary: "Call its service and look whether everything is as it must be", tag: "integrations",
                    answer: IntegrationTestView.self)
            ) { call in
                try await .model(
                    IntegrationTestView(
                        operations.testIntegration(name: call.path("integration"), by: call.requester)))
            },
            Endpoint(
                .delete, "/api/v1/integrations/{integration}", .admin,
                .init(summary: "Remove one that no service uses", tag: "integrations", status: 204)
            ) { call in
                try await operations.removeIntegration(name: call.path("integration"), by: call.requester)
                return .nothing
            },
        ]
    }
}

extension IntegrationKindView {
    fileprivate init(_ kind: IntegrationKind) {
        self.init(
            name: kind.name, summary: kind.summary, offers: kind.offers.map(\.rawValue).sorted(),
            secrets: kind.secrets.sorted(), schema: .object(kind.schema))
    }
}

extension IntegrationView {
    fileprivate init(_ integration: IntegrationSummary) {
        self.init(
            name: integration.name, kind: integration.kind, settings: .object(integration.settings),
            secretsSet: integration.secrets, users: integration.users, createdAt: integration.createdAt,
            changedAt: integration.updatedAt)
    }
}

extension IntegrationTestView {
    fileprivate init(_ report: IntegrationReport) {
        self.init(
            integration: report.integration, passed: report.isPassed, testedAt: report.time,
            checks: report.checks.map { Check(name: $0.name, passed: $0.isPassed, message: $0.message) })
    }
}
