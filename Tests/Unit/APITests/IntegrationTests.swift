import APIModels
import ControllerCore
import HTTPTypes
import Model
import Store
import TestSupport
import Testing
import WireProtocol

@testable import API

extension IntegrationKind {
    /// One that says of itself what its settings tell it to.
    static let scripted = IntegrationKind(
        name: "scripted", summary: "A service of tests", offers: [.resolver],
        schema: [
            "type": "object", "additionalProperties": false, "required": ["url", "token"],
            "properties": [
                "url": ["type": "string"], "token": ["type": "string", "writeOnly": true],
                "pin": ["type": "string", "writeOnly": true], "works": ["type": "boolean"],
            ],
        ], secrets: ["token", "pin"],
        read: { fields, path throws(CoreError) in
            guard fields["url"]?.asString?.hasPrefix("https://") == true else {
                throw .invalid(field: "\(path).url", problem: "must be https")
            }
            return fields
        },
        connect: { fields, outside in
            Integration(
                resolver: ResolverPort { (_, _) throws(PortError) in [fields["token"]?.asString ?? ""] },
                test: { [IntegrationCheck("works", isPassed: fields["works"] != false, "as \(outside.name)")] })
        })
}

@Suite struct `Integrations over the API` {
    private static let body =
        #"{"name":"dns","kind":"scripted","settings":{"url":"https://a.example.org","token":"planted-1729"}}"#

    @Test func `one is set up, shown without its secrets, changed, tested and removed`() async throws {
        let house = try await House()
        let made = try await house.ask(.post, "/api/v1/integrations", Self.body)
        #expect(made.status == 201, "\(made.text)")
        #expect(try await house.ask(.post, "/api/v1/integrations", Self.body).status == 409)
        let view = try await house.ask(.get, "/api/v1/integrations/dns").model(IntegrationView.self)
        #expect(view.settings == ["url": "https://a.example.org"] && view.secretsSet == ["token"] && view.users == 0)
        // A secret that is not given stays, one that is null goes.
        let changed = try await house.ask(
            .put, "/api/v1/integrations/dns", #"{"settings":{"url":"https://b.example.org","pin":"planted-1730"}}"#)
        #expect(try changed.model(IntegrationView.self).secretsSet == ["pin", "token"])
        #expect(try await house.store.integration("dns")?.settings["token"] == "planted-1729")
        _ = try await house.ask(
            .put, "/api/v1/integrations/dns", #"{"settings":{"url":"https://b.example.org","pin":null,"works":false}}"#)
        #expect(try await house.store.integration("dns")?.settings["pin"] == nil)
        let test = try await house.ask(.post, "/api/v1/integrations/dns/test").model(IntegrationTestView.self)
        #expect(!test.passed && test.checks.map(\.message) == ["as dns"])
        #expect(
            try await house.ask(.get, "/api/v1/integrations").model(Listing<IntegrationView>.self).items.map(\.name)
                == [
                    "dns"
                ])
        #expect(try await house.ask(.delete, "/api/v1/integrations/dns").status == 204)
        #expect(try await house.ask(.delete, "/api/v1/integrations/dns").status == 404)
        let audit = try await house.ask(.get, "/api/v1/audit?subject=dns")
        #expect(
            try audit.model(Listing<AuditEntry>.self).items.map(\.action) == [
                "integration.delete", "integration.test", "integration.update", "integration.update",
                "integration.create",
            ])
        for reply in [made, changed, audit] { #expect(!reply.text.contains("planted")) }
    }

    @Test func `a problem names the field and no value`() async throws {
        let house = try await House()
        for (settings, field) in [
            (#"{"url":"https://a.example.org"}"#, "settings.token"), (#"{"token":"t","url":5}"#, "settings.url"),
            (#"{"token":"t","url":"http://planted-1729"}"#, "settings.url"),
            (#"{"token":"t","url":"https://a.example.org","more":1}"#, "settings.more"),
            (#"{"token":["planted-1729"],"url":"https://a.example.org"}"#, "settings.token"),
        ] {
            let body = #"{"name":"dns","kind":"scripted","settings":\#(settings)}"#
            let reply = try await house.ask(.post, "/api/v1/integrations", body)
            #expect(reply.status == 400 && reply.text.contains(field), "\(reply.text)")
            #expect(!reply.text.contains("planted"))
        }
        let kind = try await house.ask(.post, "/api/v1/integrations", #"{"name":"dns","kind":"none","settings":{}}"#)
        #expect(kind.status == 400 && kind.text.contains("scripted"))
    }

    @Test func `one that a service uses is not removed`() async throws {
        let house = try await House()
        _ = try await house.ask(.post, "/api/v1/integrations", Self.body)
        try await house.store.useIntegration("dns", service: "svc_1", at: HouseClock.start)
        try await house.store.useIntegration("dns", service: "svc_1", at: HouseClock.start)
        #expect(try await house.ask(.get, "/api/v1/integrations/dns").model(IntegrationView.self).users == 1)
        let refused = try await house.ask(.delete, "/api/v1/integrations/dns")
        #expect(refused.status == 409 && refused.text.contains("svc_1"))
        // The service gives back all that it holds.
        try await house.store.releaseAll(service: "svc_1", at: HouseClock.start)
        #expect(try await house.ask(.delete, "/api/v1/integrations/dns").status == 204)
    }

    @Test func `only an admin changes them, and others see no secret`() async throws {
        let house = try await House()
        _ = try await house.ask(.post, "/api/v1/integrations", Self.body)
        let key = try await house.key("read", "services", "nodes", "plans")
        #expect(try await house.ask(.get, "/api/v1/integrations/dns", key: key).status == 200)
        #expect(try await house.ask(.post, "/api/v1/integrations", Self.body, key: key).status == 403)
        #expect(try await house.ask(.put, "/api/v1/integrations/dns", #"{"settings":{}}"#, key: key).status == 403)
        #expect(try await house.ask(.post, "/api/v1/integrations/dns/test", key: key).status == 403)
        #expect(try await house.ask(.delete, "/api/v1/integrations/dns", key: key).status == 403)
    }

    @Test func `sagas are given what is set up now, each connected once`() async throws {
        let house = try await House()
        let port = house.operations.integrationsPort
        let error = await #expect(throws: PortError.self) { _ = try await port.named("dns") }
        #expect(error?.kind == .notSetUp)
        _ = try await house.ask(.post, "/api/v1/integrations", Self.body)
        #expect(try await port.offering(.resolver) == ["dns"])
        #expect(try await port.offering(.dns) == [])
        #expect(try await port.named("dns").resolver?.look("a.example.org", .txt) == ["planted-1729"])
        let change = #"{"settings":{"url":"https://a.example.org","token":"planted-1730"}}"#
        _ = try await house.ask(.put, "/api/v1/integrations/dns", change)
        #expect(try await port.named("dns").resolver?.look("a.example.org", .txt) == ["planted-1730"])
        await #expect(throws: PortError.self) { _ = try await port.proxy("dns") }
    }

    @Test func `the kinds tell their settings`() async throws {
        let house = try await House()
        let kinds = try await house.ask(.get, "/api/v1/integration-kinds").model(Listing<IntegrationKindView>.self)
            .items
        #expect(kinds.map(\.name) == ["scripted"] && kinds.first?.secrets == ["pin", "token"])
        #expect(kinds.first?.schema["properties"]?["url"]?["type"] == "string")
    }

    @Test func `the command line takes secrets from files and standard input, never from arguments`() async throws {
        try await OpenHouse.with { open in
            let settings = try open.house.folder.write(
                Array(#"{"url":"https://a.example.org","token":"planted-1729"}"#.utf8), to: "settings.json")
            let kinds = try await open.innctl("integration", "kinds", loggedIn: true)
            #expect(kinds.output.contains("scripted"), "\(kinds.error)")
            let argument = try await open.innctl(
                "integration", "add", "dns", "--kind", "scripted", "--set", "url=https://a.example.org", "--set",
                "token=planted", loggedIn: true)
            #expect(argument.code == 2 && argument.error.contains("--secret token"))
            let added = try await open.innctl(
                "integration", "add", "dns", "--kind", "scripted", "--file", settings, loggedIn: true)
            #expect(added.code == 0 && added.output.contains("(set)"), "\(added.error)")
            #expect(!added.output.contains("planted"))
            let updated = try await open.innctl(
                "integration", "update", "dns", "--set", "works=true", loggedIn: true)
            #expect(updated.code == 0, "\(updated.error)")
            #expect(try await open.house.store.integration("dns")?.settings["token"] == "planted-1729")
            let test = try await open.innctl("integration", "test", "dns", loggedIn: true)
            #expect(test.code == 0 && test.output.contains("ok"), "\(test.error)")
            _ = try await open.innctl("integration", "update", "dns", "--set", "works=false", loggedIn: true)
            let failed = try await open.innctl("integration", "test", "dns", loggedIn: true)
            #expect(failed.code == 1 && failed.output.contains("FAILED"))
            #expect(try await open.innctl("integration", "list", loggedIn: true).output.contains("scripted"))
            #expect(try await open.innctl("integration", "remove", "dns", "--yes", loggedIn: true).code == 0)
            let words = ["integration", "add", "dns2", "--kind", "scripted", "--set", "url=https://a.example.org"]
            let secrets = ["--secret", "token", "--secret", "pin"]
            let piped = try await open.innctl(words + secrets, loggedIn: true, input: "planted-1731\nplanted-1732\n")
            #expect(piped.code == 0, "\(piped.error)")
            let kept = try await open.house.store.integration("dns2")?.settings
            #expect(kept?["token"] == "planted-1731" && kept?["pin"] == "planted-1732")
            #expect(try await open.innctl(words + secrets, loggedIn: true, input: "planted-1731\n").code == 2)
        }
    }
}
