import DriverKit
import Processes
import TestSupport
import Testing
import Transport
import WireProtocol

/// Certificates of Let's Encrypt and of one's own.
@Suite struct CertificateTests {
    private func certificate(
        _ server: PanelServer, _ operation: String, _ more: JSONObject = [:], secrets: JSONObject = [:]
    ) async throws -> ActionOutcome {
        var arguments: JSONObject = ["domain": "example.com"]
        for member in more.members { arguments[member.key] = member.value }
        return try await server.perform("certificate.\(operation)", on: "site/example.com", arguments, secrets: secrets)
    }

    @Test func `a certificate is ordered once, and again only when it is asked for`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let first = try await certificate(server, "order")
        #expect(first.changed && first.observed["kind"] == "lets-encrypt")
        #expect(first.observed["names"]?.asArray == ["example.com", "www.example.com"])
        let second = try await certificate(server, "order")
        #expect(!second.changed && second.observed == first.observed)
        let more = try await certificate(server, "order", ["names": ["shop.example.com"]])
        #expect(more.changed && more.observed["fingerprint"] != first.observed["fingerprint"])
        #expect(try await certificate(server, "order", ["force": true]).changed)
        try server.sql("UPDATE certificate SET type = 3 WHERE type = 2")
        #expect(try await certificate(server, "order").changed)
        #expect(try await certificate(server, "show").observed["kind"] == "lets-encrypt")
    }

    @Test func `a name that does not lead here fails the order, and a retry may help`() async throws {
        let server = try await PanelServer(["unresolved": ["www.example.com"]])
        try await server.addStatic()
        let before = try await certificate(server, "show").observed
        let error = await server.failure { try await certificate(server, "order") }
        #expect(error?.code == .failed && error?.retryable == true && error?.changed == false)
        #expect(error?.cause?.contains("www.example.com: DNS problem") == true)
        #expect(try await certificate(server, "show").observed == before)
    }

    @Test func `the authority's own limit is not tried against`() async throws {
        let server = try await PanelServer([
            "fail": [
                "lets-encrypt:install:certificate": "urn:ietf:params:acme:error:rateLimited: too many certificates"
            ]
        ])
        try await server.addStatic()
        let error = await server.failure { try await certificate(server, "order") }
        #expect(error?.code == .failed && error?.retryable == false)
    }

    @Test func `an order that claims success without a certificate is a failure`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        try server.replaceTool(with: "echo 'Certificate installation was successful.'")
        let error = await server.failure { try await certificate(server, "order") }
        #expect(error?.code == .failed && error?.message.contains("claims success") == true)
    }

    @Test func `a certificate of one's own is served, and its key is in no place that stays`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let (key, pem) = try await Self.make("example.com")
        let first = try await certificate(
            server, "install", ["certificate": .string(pem)], secrets: ["private_key": .string(key)])
        #expect(first.changed && first.observed["kind"] == "imported")
        #expect(try first.observed["fingerprint"]?.asString == Certificate(pem: pem).fingerprint)
        #expect(server.text("etc/nginx/ssl-certificates/example.com.key").contains("PRIVATE KEY"))
        let again = try await certificate(
            server, "install", ["certificate": .string(pem)], secrets: ["private_key": .string(key)])
        #expect(!again.changed)
        #expect(try server.names(in: "run").allSatisfy { !$0.hasPrefix("innkeeper-panel-") })
    }

    @Test func `a key is on no command line, and gone when the tool dies over it`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let (key, pem) = try await Self.make("example.com")
        try server.replaceTool(
            with: "echo \"$@\" >>\(server.root)/words; for w in \"$@\"; do case $w in --privateKey=*) cat ${w#*=}; "
                + "stat -c %a ${w#*=} >>\(server.root)/words;; esac; done; exit 1")
        let error = await server.failure {
            try await certificate(
                server, "install", ["certificate": .string(pem)], secrets: ["private_key": .string(key)])
        }
        #expect(error?.code == .failed)
        #expect(error?.description.contains("PRIVATE KEY") == false, "\(String(describing: error))")
        #expect(server.text("words").contains("600"))
        #expect(!server.text("words").contains("PRIVATE KEY"))
        #expect(try server.names(in: "run").allSatisfy { !$0.hasPrefix("innkeeper-panel-") })
    }

    @Test func `what is no certificate or no key is refused before the tool sees it`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let (key, pem) = try await Self.make("example.com")
        let cases: [(JSONObject, JSONObject)] = [
            (["certificate": "hello"], ["private_key": .string(key)]),
            (["certificate": .string(pem)], ["private_key": "hello"]), (["certificate": .string(pem)], [:]),
            (["certificate": .string(pem), "chain": "x"], ["private_key": .string(key)]),
        ]
        for (arguments, secrets) in cases {
            let error = await server.failure { try await certificate(server, "install", arguments, secrets: secrets) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.description.contains(key) == false)
        }
    }

    /// A key and a certificate for it.
    static func make(_ name: String) async throws -> (key: String, certificate: String) {
        let outcome = try await Child.run(
            ProcessRequest(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                    "-",
                    "-days", "90", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)",
                ], deadline: .seconds(60)))
        let text = outcome.outputText
        let mark = "-----BEGIN CERTIFICATE-----"
        let parts = text.split(separator: mark)
        try #require(parts.count == 2)
        return (String(parts[0]), mark + parts[1])
    }
}
