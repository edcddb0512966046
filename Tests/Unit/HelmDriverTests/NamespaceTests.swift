import DriverKit
import Glibc
import HelmDriver
import TestSupport
import Testing
import WireProtocol

/// Namespaces that are one service's own, and what is kept in them.
@Suite struct NamespaceTests {
    private static let mark: JSONObject = ["mark": ["service": "svc_1"]]
    private static let keys: JSONObject = ["secret": "words", "keys": ["db-password": 32, "admin-password": 24]]

    @Test func `it is made once, bears its mark, and lets nobody be root`() async throws {
        let node = try await KubernetesNode()
        #expect(try await node.space("ensure", Self.mark).changed)
        let again = try await node.space("ensure", Self.mark)
        #expect(!again.changed && again.observed["mark"]?["service"] == "svc_1")
        let made = try node.cluster()["namespaces"]?[node.namespace]?["metadata"]?["labels"]
        #expect(made?["innkeeper.service"] == "svc_1")
        #expect(made?["pod-security.kubernetes.io/enforce"] == "restricted")
    }

    @Test func `somebody else's is left alone by everything that brings a mark`() async throws {
        let node = try await KubernetesNode()
        try await node.space("ensure", ["mark": ["service": "svc_other"]])
        for action in ["ensure", "remove"] {
            #expect(await refusal { try await node.space(action, Self.mark) }?.code == .foreign, "\(action)")
        }
        #expect(await refusal { try await node.secret(Self.keys.merged(Self.mark)) }?.code == .foreign)
        for action in ["install", "upgrade", "uninstall", "rollback", "heal"] {
            let chart: JSONObject = ["install", "upgrade"].contains(action) ? ["chart": node.chart("1.0.0")] : [:]
            let error = await refusal { try await node.perform(action, chart.merged(Self.mark)) }
            #expect(error?.code == .foreign, "\(action)")
        }
        #expect(try node.calls(of: "kubectl", "delete").isEmpty && node.calls(of: "helm", "upgrade").isEmpty)
    }

    @Test func `one that bears no mark is a stranger's`() async throws {
        let node = try await KubernetesNode()
        try await node.install()
        #expect(await refusal { try await node.space("remove", Self.mark) }?.code == .foreign)
        #expect(await refusal { try await node.space("ensure", Self.mark) }?.code == .foreign)
    }

    @Test func `a change of a namespace wants a mark and its own lane`() async throws {
        let node = try await KubernetesNode()
        for action in ["ensure", "remove"] {
            #expect(await refusal { try await node.space(action) }?.code == .invalidArgument)
            let call = ActionCall(
                action: "namespace.\(action)", resource: "helm/other",
                arguments: Self.mark.merged(["namespace": .string(node.namespace)]))
            #expect(await refusal { try await node.driver.perform(call, node.context) }?.code == .invalidArgument)
        }
    }

    @Test func `a secret is made once, never told, and never changed`() async throws {
        let node = try await KubernetesNode()
        #expect(await refusal { try await node.secret(Self.keys.merged(Self.mark)) }?.code == .notFound)
        try await node.space("ensure", Self.mark)
        let made = try await node.secret(Self.keys.merged(Self.mark))
        let before = try node.kept("words")
        #expect(made.changed && before["db-password"]?.asString?.utf8.count == 32)
        #expect(!JSONValue.object(made.observed).text.contains(before["db-password"]?.asString ?? "?"))
        let again = try await node.secret(Self.keys.merged(Self.mark))
        #expect(!again.changed)
        #expect(try node.kept("words") == before)
        let more: JSONObject = ["secret": "words", "keys": ["another": 32]]
        #expect(await refusal { try await node.secret(more.merged(Self.mark)) }?.code == .conflict)
        // Nothing of it is on any command line.
        let words = try node.calls().map(\.text).joined()
        #expect(before.members.allSatisfy { !words.contains($0.value.asString ?? "?") })
    }

    @Test func `its removal ends when nothing is left`() async throws {
        let node = try await KubernetesNode()
        try await node.space("ensure", Self.mark)
        let gone = try await node.space("remove", Self.mark)
        #expect(gone.changed && gone.observed["present"] == false)
        #expect(try await !node.space("remove", Self.mark).changed)
    }

    @Test(arguments: [("claims", "claims that stay: "), ("content", "Discovery failed")])
    func `one that withstands its removal says why`(_ what: String, _ reason: String) async throws {
        let node = try await KubernetesNode(["keeps": .string(what)])
        try await node.space("ensure", Self.mark)
        try await node.perform(
            "install", ["chart": .string(StoreChartTests.chart), "values": StoreChartTests.values, "wait": false])
        let error = await refusal { try await node.space("remove", Self.mark.merged(["timeout_s": 1])) }
        #expect(error?.code == .timedOut && error?.retryable == true && error?.changed == true)
        #expect(error?.cause?.contains(reason) == true, "\(error?.cause ?? "")")
        // Nothing is made in it meanwhile.
        #expect(await refusal { try await node.space("ensure", Self.mark) }?.code == .busy)
        try node.set([:])
        #expect(try await node.space("remove", Self.mark).observed["present"] == false)
    }

    @Test func `a cluster that goes away while it is made leaves an unknown outcome`() async throws {
        let node = try await KubernetesNode(["away": ["kubectl create": "made"]])
        let error = await refusal { try await node.space("ensure", Self.mark) }
        #expect(error?.code == .unknownOutcome && error?.retryable == true && error?.changed == true)
        try node.set([:])
        unlink(node.folder.file("var/away"))
        #expect(try await !node.space("ensure", Self.mark).changed)
    }
}

extension StoreChartTests {
    static var values: JSONValue { .object(all[0].values) }
}

extension KubernetesNode {
    @discardableResult
    fileprivate func space(
        _ action: String, _ arguments: JSONObject = [:]
    ) async throws(DriverError) -> ActionOutcome {
        try await driver.perform(inNamespace("namespace.\(action)", arguments), context)
    }

    fileprivate func secret(_ arguments: JSONObject) async throws(DriverError) -> ActionOutcome {
        try await driver.perform(inNamespace("secret.ensure", arguments), context)
    }

    private func inNamespace(_ action: String, _ arguments: JSONObject) -> ActionCall {
        ActionCall(
            action: action, resource: "helm/\(namespace)",
            arguments: arguments.merged(["namespace": .string(namespace)]))
    }

    fileprivate func cluster() throws -> JSONValue {
        try JSONParser.parse(folder.read("var/cluster.json")[...], limits: .local)
    }

    fileprivate func kept(_ secret: String) throws -> JSONObject {
        let objects = try cluster()["namespaces"]?[namespace]?["objects"]?.asArray ?? []
        return objects.first { $0["metadata"]?["name"]?.asString == secret }?["stringData"]?.asObject ?? [:]
    }
}

extension JSONObject {
    fileprivate func merged(_ other: JSONObject) -> JSONObject {
        JSONObject(members.map { ($0.key, $0.value) } + other.members.map { ($0.key, $0.value) })
    }
}
