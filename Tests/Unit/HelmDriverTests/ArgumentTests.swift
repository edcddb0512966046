import DriverKit
import HelmDriver
import TestSupport
import Testing
import WireProtocol

/// What is refused before anything starts.
@Suite struct ArgumentTests {
    static let names = [
        "", "-n", "--kubeconfig=/x", "UPPER", "a_b", "a/b", "..", ".a", "a.", "a..b", "-a", "a-", "a b", "a\nb", "ä",
        String(repeating: "a", count: 64),
    ]

    @Test(arguments: names)
    func `a release or namespace that is no name`(name: String) async throws {
        let node = try await KubernetesNode()
        for operation in ["install", "upgrade", "uninstall", "rollback", "heal", "status", "history", "logs", "ready"] {
            for key in ["release", "namespace"] {
                var call = node.call(operation, ["chart": node.chart("1.0.0")])
                var arguments = call.arguments
                arguments[key] = .string(name)
                call = ActionCall(action: call.action, resource: call.resource, arguments: arguments)
                let error = await refusal { [call] in try await node.driver.perform(call, node.context) }
                #expect(error?.code == .invalidArgument, "\(operation) \(key)")
            }
        }
        #expect(throws: (any Error).self) { try node.calls() }
    }

    @Test(
        arguments: [
            ["chart": "store"], ["chart": "repo/store", "repo": "https://charts.example"], ["chart": "./store"],
            ["chart": "../store"], ["chart": "/a/../b"], ["chart": "--help", "repo": "https://charts.example"],
            ["chart": "http://charts.example/a.tgz"], ["chart": "file:///etc"], ["chart": "oci://x@y/z"],
            ["chart": "oci://registry.example/a:1.0"], ["chart": "store", "repo": "http://charts.example"],
            ["chart": "store", "repo": "https://user:pw@charts.example"], ["chart": "store", "repo": "file:///srv"],
            ["chart": "/srv/store", "repo": "https://charts.example"],
            ["chart": "store", "repo": "https://charts.example", "version": "^1"],
            ["chart": "store", "repo": "https://charts.example", "version": "--devel"],
        ] as [[String: String]])
    func `a chart that is none`(chart: [String: String]) async throws {
        let node = try await KubernetesNode()
        let arguments = JSONObject(chart.map { ($0.key, .string($0.value)) })
        #expect(await refusal { try await node.perform("install", arguments) }?.code == .invalidArgument)
        #expect(throws: (any Error).self) { try node.calls() }
    }

    @Test func `charts come from where the node's owner allows it`() async throws {
        let scratch = try ScratchFolder("charts")
        let node = try await KubernetesNode(chartSources: ["/srv/charts", "https://charts.example/a/"])
        for arguments in [
            ["chart": .string(scratch.path)], ["chart": "/srv/charts-of-others/x"],
            ["chart": "oci://registry.example/x"],
            ["chart": "store", "repo": "https://charts.example/b"],
            ["chart": "store", "repo": "https://charts.example/a/../b"],
        ] as [JSONObject] {
            #expect(
                await refusal { try await node.perform("install", arguments) }?.code == .permissionDenied,
                "\(arguments)")
        }
        let outcome = try await node.perform(
            "install", ["chart": "store", "repo": "https://charts.example/a", "version": "1.0.0", "wait": false])
        #expect(outcome.observed["chart"] == "store-1.0.0")
    }

    @Test func `a chart, a version or a repository that is not there is said to be so`() async throws {
        let node = try await KubernetesNode()
        #expect(await refusal { try await node.perform("install", ["chart": "/no/such/chart"]) }?.code == .notFound)
        let version: JSONObject = ["chart": "store", "repo": "https://charts.example", "version": "9.9.9"]
        #expect(await refusal { try await node.perform("install", version) }?.code == .notFound)
        let repository: JSONObject = ["chart": "store", "repo": "https://elsewhere.example", "version": "9.9.9"]
        let error = await refusal { try await node.perform("install", repository) }
        #expect(error?.code == .unavailable && error?.retryable == true)
        let local: JSONObject = ["chart": node.chart("1.0.0"), "version": "1.1.0"]
        #expect(await refusal { try await node.perform("install", local) }?.code == .notFound)
    }

    @Test func `a call changes the release of its resource only`() async throws {
        let node = try await KubernetesNode()
        for operation in ["install", "upgrade", "uninstall", "rollback", "heal"] {
            let call = ActionCall(
                action: "release.\(operation)", resource: "helm/\(node.namespace)/other",
                arguments: operation.hasSuffix("all") && operation != "uninstall" || operation == "upgrade"
                    ? ["namespace": .string(node.namespace), "release": "shop", "chart": node.chart("1.0.0")]
                    : ["namespace": .string(node.namespace), "release": "shop"])
            let error = await refusal { try await node.driver.perform(call, node.context) }
            #expect(error?.code == .invalidArgument && error?.message.contains("helm/\(node.namespace)/other") == true)
        }
    }

    @Test func `an argument or a secret that nobody knows is refused`() async throws {
        let node = try await KubernetesNode()
        #expect(await refusal { try await node.perform("status", ["set": "x=y"]) }?.code == .invalidArgument)
        let error = await refusal {
            try await node.perform("install", ["chart": node.chart("1.0.0")], secrets: ["password": "x"])
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `the page of the driver names every operation, and what it needs`() async throws {
        let driver = HelmDriver(tools: HelmTools(helm: [""], kubectl: [""]), version: "3")
        #expect(try undocumented(driver.actions, page: "helm") == [])
        #expect(try tellsArguments(driver.actions, page: "helm"))
        let needs = await driver.needs()
        #expect(try undocumented(needs, page: "helm") == [])
        #expect(needs.first?.problem?.contains("there is no kubeconfig") == true)
    }
}
