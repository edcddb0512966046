import DriverKit
import HelmDriver
import TestSupport
import Testing
import WireProtocol

/// Whose a release is.
@Suite struct MarkTests {
    private static let ours: JSONObject = ["mark": ["service": "svc_1", "nonce": "op_1"]]

    private func installed(_ node: KubernetesNode, _ mark: JSONObject? = ours) async throws {
        try await node.perform("install", words(node, "1.0.0", mark))
    }

    private func words(_ node: KubernetesNode, _ version: String, _ mark: JSONObject?) -> JSONObject {
        marked(["chart": node.chart(version), "wait": false], mark)
    }

    private func marked(_ arguments: JSONObject, _ mark: JSONObject?) -> JSONObject {
        var arguments = arguments
        arguments["mark"] = mark?["mark"]
        return arguments
    }

    private func changes(_ node: KubernetesNode) -> Int {
        // Before the first call there is no log of them.
        let calls = (try? node.calls()) ?? []
        return calls.count { ["upgrade", "rollback", "uninstall"].contains($0["words"]?.asArray?.first?.asString) }
    }

    @Test func `a release bears the mark of the call that made it, through all its revisions`() async throws {
        let node = try await KubernetesNode()
        try await installed(node)
        let made = try #require(try node.calls(of: "helm", "upgrade").first?["words"]?.asArray)
        let place = try #require(made.firstIndex(of: "--labels"))
        #expect(made[place + 1] == "innkeeper.service=svc_1,innkeeper.nonce=op_1")
        #expect(try await node.perform("upgrade", words(node, "1.1.0", Self.ours)).changed)
        let again = try #require(try node.calls(of: "helm", "upgrade").last?["words"]?.asArray)
        #expect(!again.contains("--labels"), "it has them")
        let back = try await node.perform("rollback", marked(["wait": false], Self.ours))
        #expect(back.changed && back.observed["unmarked"] == nil)
        #expect(try await node.perform("uninstall", Self.ours).changed)
        #expect(try await !node.perform("uninstall", Self.ours).changed)
    }

    @Test func `without a nonce in the call the command is it`() async throws {
        let node = try await KubernetesNode()
        try await installed(node, ["mark": ["service": "svc_1"]])
        let test: JSONObject = ["mark": ["service": "svc_1", "nonce": "test"]]
        #expect(try await node.perform("uninstall", test).changed)
    }

    @Test(
        arguments: [
            ["service": "svc_2", "nonce": "op_1"], ["service": "svc_1", "nonce": "op_2"], ["service": "svc_2"],
        ] as [JSONObject])
    func `what bears another's mark, or that of another making, is left alone`(mark: JSONObject) async throws {
        let node = try await KubernetesNode()
        try await installed(node)
        try await node.perform("upgrade", words(node, "1.1.0", Self.ours))
        let before = changes(node)
        let foreign: JSONObject = ["mark": .object(mark)]
        for (action, arguments) in [
            ("install", words(node, "1.0.0", foreign)), ("upgrade", words(node, "1.0.0", foreign)),
            ("rollback", foreign), ("uninstall", foreign), ("heal", foreign),
        ] {
            let error = await refusal { try await node.perform(action, arguments) }
            #expect(error?.code == .foreign && error?.changed == false, "\(action)")
        }
        #expect(changes(node) == before)
    }

    @Test func `what was made before marks is worked on, said to be unmarked, and marked by an upgrade`() async throws {
        let node = try await KubernetesNode()
        try await installed(node, nil)
        #expect(try await node.perform("heal", Self.ours).observed["unmarked"] == true)
        #expect(try await node.perform("upgrade", words(node, "1.1.0", Self.ours)).observed["unmarked"] == true)
        #expect(try await node.perform("heal", Self.ours).observed["unmarked"] == nil)
        let other: JSONObject = ["mark": ["service": "svc_2"]]
        #expect(await refusal { try await node.perform("uninstall", other) }?.code == .foreign)
        // A revision of before has none: the next upgrade gives it back.
        #expect(try await node.perform("rollback", marked(["wait": false, "revision": 1], Self.ours)).changed)
        #expect(try await node.perform("heal", Self.ours).observed["unmarked"] == true)
    }

    @Test func `a release of a similar name is another one`() async throws {
        let node = try await KubernetesNode()
        try await installed(node, ["mark": ["service": "svc_2"]])
        let call = words(node, "1.0.0", Self.ours)
        #expect(try await node.perform("install", call, release: "shop-2").changed)
        #expect(try await node.perform("install", call, release: "s.op").changed)
        #expect(try await node.perform("uninstall", Self.ours, release: "s.op").changed)
    }

    @Test(arguments: ["svc:1", "svc_", String(repeating: "a", count: 64)])
    func `what fits no label is refused before anything begins`(service: String) async throws {
        let node = try await KubernetesNode()
        let error = await refusal {
            try await node.perform("install", words(node, "1.0.0", ["mark": ["service": .string(service)]]))
        }
        #expect(error?.code == .invalidArgument && error?.message.contains("mark.service") == true)
        #expect(changes(node) == 0)
    }

    @Test func `a Helm that cannot mark says so, and does what brings no mark`() async throws {
        let node = try await KubernetesNode(["helm_version": "v3.12.3"])
        let driver = HelmDriver(tools: node.driver.tools, version: "3.12.3", pause: .milliseconds(50))
        let error = await refusal {
            try await driver.perform(node.call("install", words(node, "1.0.0", Self.ours)), node.context)
        }
        #expect(error?.code == .unsupported && error?.message.contains("3.13") == true)
        #expect(changes(node) == 0)
        #expect(await driver.facts()["marks"] == false)
        #expect(try await driver.perform(node.call("install", words(node, "1.0.0", nil)), node.context).changed)
    }
}
