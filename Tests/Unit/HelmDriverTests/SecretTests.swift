import DriverKit
import HelmDriver
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// Secrets in values: they reach the chart and nothing else.
@Suite struct SecretTests {
    static let secret = "hunter2hunter2"
    /// As a `Secret` of Kubernetes holds it.
    static let encoded = "aHVudGVyMmh1bnRlcjI="

    func expectHidden(_ text: String) {
        #expect(!text.contains(Self.secret) && !text.contains(Self.encoded), "\(text)")
    }

    @Test func `they are in no word, no variable, no result and no file of the node`() async throws {
        let node = try await KubernetesNode()
        let outcome = try await node.perform(
            "install",
            ["chart": node.chart("1.0.0"), "values": ["host": "a.example", "db": ["user": "u"]], "wait": false],
            secrets: ["values": ["password": .string(Self.secret), "db": ["password": .string(Self.secret)]]])
        expectHidden("\(outcome)")
        for operation in ["status", "history", "ready", "events"] {
            expectHidden("\(try await node.perform(operation))")
        }
        expectHidden(String(decoding: try node.folder.read("var/calls.log"), as: UTF8.self))
        let state = String(decoding: try node.folder.read("var/cluster.json"), as: UTF8.self)
        #expect(state.contains(Self.secret) && state.contains("a.example"), "the chart has got it, beside the rest")
        let again = try await node.perform(
            "install",
            ["chart": node.chart("1.0.0"), "values": ["host": "a.example", "db": ["user": "u"]], "wait": false],
            secrets: ["values": ["password": .string(Self.secret), "db": ["password": .string(Self.secret)]]])
        #expect(!again.changed)
    }

    @Test func `they are in no error, whatever the chart repeats, as they are or encoded`() async throws {
        let node = try await KubernetesNode(["refusal": .string("execution error at (t.yaml:1:1): %v \(Self.encoded)")])
        let error = await refusal {
            try await node.perform(
                "install", ["chart": node.chart("1.0.0"), "values": ["refuse": true]],
                secrets: ["values": ["password": .string(Self.secret)]])
        }
        #expect(error?.code == .invalidArgument && error?.changed == false)
        #expect(error?.cause?.contains("[secret]") == true)
        expectHidden("\(String(describing: error))")
    }

    @Test func `they are in no output of a release that failed`() async throws {
        let node = try await KubernetesNode(["job": "Failed", "log": .array([.string("login \(Self.secret) refused")])])
        let error = await refusal {
            try await node.perform(
                "install", ["chart": node.chart("1.0.0")], secrets: ["values": ["password": .string(Self.secret)]])
        }
        #expect(error?.code == .failed)
        let sent = node.sent.withLock { $0 }
        #expect(sent.contains("login [secret] refused"))
        expectHidden(sent + "\(String(describing: error))")
    }

    @Test func `values that Kubernetes quotes are not passed on`() async throws {
        let node = try await KubernetesNode([
            "fail": [
                "helm upgrade":
                    #"Error: UPGRADE FAILED: Deployment.apps "web" is invalid: spec.x: Invalid value: "pass\"word1": must be"#
            ]
        ])
        let error = await refusal { try await node.install() }
        #expect(error?.code == .invalidArgument && error?.cause?.contains("word1") == false)
        #expect(error?.cause?.contains(#"Invalid value: "…": must be"#) == true, "\(String(describing: error))")
    }

    /// YAML forbids what JSON allows: the file that Helm reads has to be both.
    @Test func `any text is a value`() async throws {
        let node = try await KubernetesNode(allows: [.templates])
        let text = "a\u{7F}b\u{85}\u{9F}c\u{2028}\u{FEFF}d\u{FFFE}\t\n\"\\'{{ }}: - #\u{1F600}"
        try await node.install("1.0.0", ["text": .string(text), "--set": "x=y", "list": [1, 2.5, nil, true]])
        let state = try JSONParser.parse(try node.folder.read("var/cluster.json"), limits: .local)
        let values = state["records"]?[node.namespace]?["shop"]?.asArray?.first?["values"]
        #expect(values?["text"]?.asString.map { Array($0.utf8) } == Array(text.utf8))
        #expect(
            try await !node.install("1.0.0", ["text": .string(text), "--set": "x=y", "list": [1, 2.5, nil, true]])
                .changed)
    }

    @Test func `the environment of whoever started the agent does not reach the tools`() async throws {
        let node = try await KubernetesNode()
        try await node.install()
        for call in try node.calls() {
            let names = Set(call["environment"]?.asObject?.keys ?? [])
            #expect(
                names.isSubset(of: [
                    "HOME", "PATH", "LC_MESSAGES", "KUBECONFIG", "HELM_CACHE_HOME", "HELM_CONFIG_HOME",
                    "HELM_DATA_HOME",
                    "HELM_NO_PLUGINS", "INNKEEPER_CHILD", "LC_CTYPE", "PWD", "OLDPWD", "SHLVL", "_",
                ]), "\(names)")
        }
    }
}
