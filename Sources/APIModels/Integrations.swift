package import Model
package import WireProtocol

/// A kind of service of others that can be set up.
package struct IntegrationKindView: Codable, Sendable {
    package var name: String
    package var summary: String
    /// What it can be used for: `dns`, `zones`, `proxy`, `resolver`.
    package var offers: [String]
    /// Settings that go in and never come out.
    package var secrets: [String]
    /// JSON Schema of the settings.
    package var schema: JSONValue

    package init(name: String, summary: String, offers: [String], secrets: [String], schema: JSONValue) {
        (self.name, self.summary, self.offers) = (name, summary, offers)
        (self.secrets, self.schema) = (secrets, schema)
    }
}

/// A service of others that is set up.
package struct IntegrationView: Codable, Sendable {
    package var name: String
    package var kind: String
    /// Without secrets.
    package var settings: JSONValue
    /// The names of secrets that are set.
    package var secretsSet: [String]
    /// How many services have things there.
    package var users: Int
    package var createdAt: Timestamp
    package var changedAt: Timestamp

    package init(
        name: String, kind: String, settings: JSONValue, secretsSet: [String], users: Int, createdAt: Timestamp,
        changedAt: Timestamp
    ) {
        (self.name, self.kind, self.settings) = (name, kind, settings)
        (self.secretsSet, self.users, self.createdAt, self.changedAt) = (secretsSet, users, createdAt, changedAt)
    }
}

/// `POST /api/v1/integrations`.
package struct IntegrationRequest: Codable, Sendable {
    package var name: String
    package var kind: String
    /// `GET /api/v1/integration-kinds` has their schema.
    package var settings: JSONValue

    package init(name: String, kind: String, settings: JSONValue) {
        (self.name, self.kind, self.settings) = (name, kind, settings)
    }
}

/// `PUT /api/v1/integrations/{integration}`.
package struct IntegrationChange: Codable, Sendable {
    /// All of them. A secret that is not given stays, one that is null is taken away.
    package var settings: JSONValue

    package init(settings: JSONValue) { self.settings = settings }
}

/// What a test has shown.
package struct IntegrationTestView: Codable, Sendable {
    package struct Check: Codable, Sendable {
        package var name: String
        package var passed: Bool
        package var message: String

        package init(name: String, passed: Bool, message: String) {
            (self.name, self.passed, self.message) = (name, passed, message)
        }
    }

    package var integration: String
    package var passed: Bool
    package var testedAt: Timestamp
    package var checks: [Check]

    package init(integration: String, passed: Bool, testedAt: Timestamp, checks: [Check]) {
        (self.integration, self.passed) = (integration, passed)
        (self.testedAt, self.checks) = (testedAt, checks)
    }
}
