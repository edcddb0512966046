import DriverKit
import HelmDriver
import Processes
import TestSupport
import Testing
import WireProtocol

@Suite struct ReleaseTests {
    @Test func `a release is installed once, and asked for again it is already so`() async throws {
        let node = try await KubernetesNode()
        let first = try await node.install("1.0.0", ["host": "shop.example"], wait: true)
        #expect(first.changed)
        #expect(first.observed["status"] == "deployed" && first.observed["chart"] == "store-1.0.0")
        #expect(first.observed["ready"] == true && first.observed["revision"] == 1)
        #expect(first.observed["ingresses"]?.asArray?.first?["addresses"] == ["192.0.2.7"])
        let second = try await node.install("1.0.0", ["host": "shop.example"], wait: true)
        #expect(!second.changed && second.observed["revision"] == 1)
        #expect(try node.calls(of: "helm", "upgrade").count == 1, "no new revision for nothing")
    }

    @Test func `installing over another chart or other values is a conflict, upgrading is what does it`() async throws {
        let node = try await KubernetesNode()
        try await node.install()
        #expect(await refusal { try await node.install("1.1.0") }?.code == .conflict)
        #expect(await refusal { try await node.install("1.0.0", ["replicas": 2]) }?.code == .conflict)
        let outcome = try await node.perform("upgrade", ["chart": node.chart("1.1.0"), "wait": false])
        #expect(outcome.changed && outcome.observed["revision"] == 2 && outcome.observed["chart"] == "store-1.1.0")
        #expect(try await node.statuses() == ["superseded", "deployed"])
    }

    @Test func `what is not there cannot be upgraded, and is not installed by that`() async throws {
        let node = try await KubernetesNode()
        let error = await refusal { try await node.perform("upgrade", ["chart": node.chart("1.0.0")]) }
        #expect(error?.code == .notFound && error?.retryable == false)
        #expect(try await node.perform("status").observed["present"] == false)
    }

    /// Helm takes an empty set of values for the wish to keep the old ones.
    @Test func `an upgrade without values has none, unless it says that it keeps them`() async throws {
        let node = try await KubernetesNode()
        try await node.install("1.0.0", ["host": "a.example", "replicas": 2])
        let kept = try await node.perform(
            "upgrade", ["chart": node.chart("1.1.0"), "values": ["replicas": 3], "keep_values": true, "wait": false])
        #expect(kept.changed)
        let same: JSONObject = ["host": "a.example", "replicas": 3]
        #expect(
            try await !node.perform(
                "upgrade", ["chart": node.chart("1.1.0"), "values": .object(same), "wait": false]
            ).changed)
        #expect(try await node.perform("upgrade", ["chart": node.chart("1.1.0"), "wait": false]).changed)
        #expect(
            try await !node.perform("upgrade", ["chart": node.chart("1.1.0"), "values": [:], "wait": false]).changed)
    }

    @Test func `the same chart and values make a new revision when they are to`() async throws {
        let node = try await KubernetesNode()
        try await node.install()
        let outcome = try await node.perform("upgrade", ["chart": node.chart("1.0.0"), "always": true, "wait": false])
        #expect(outcome.changed && outcome.observed["revision"] == 2)
    }

    @Test func `a release is removed once, and is gone already the second time`() async throws {
        let node = try await KubernetesNode()
        try await node.install()
        let first = try await node.perform("uninstall")
        #expect(first.changed && first.observed["present"] == false)
        #expect(first.observed["claims_left"] == ["data-shop-db-0"], "the data of a set stays")
        #expect(try await !node.perform("uninstall").changed)
        #expect(try await node.perform("history").observed["revisions"] == [])
    }

    @Test func `an object that cannot be removed at first is removed by asking again`() async throws {
        let node = try await KubernetesNode(["undeletable": 2])
        try await node.install()
        #expect(try await node.perform("uninstall").changed)
        try node.set(["undeletable": 9])
        try await node.install()
        let error = await refusal { try await node.perform("uninstall") }
        #expect(error?.code == .failed && error?.retryable == true && error?.changed == true)
        #expect(try await node.statuses() == ["uninstalling"])
        #expect(await refusal { try await node.install("1.1.0") }?.code == .conflict)
    }

    @Test func `a rollback goes to what was in force, not to what failed`() async throws {
        let node = try await KubernetesNode()
        try await node.install()
        try node.set(["hook": "Failed"])
        let failed = await refusal { try await node.perform("upgrade", ["chart": node.chart("1.1.0"), "wait": false]) }
        #expect(failed?.code == .failed && failed?.changed == true)
        #expect(failed?.message == "release shop is failed at revision 2")
        try node.set([:])
        let back = try await node.perform("rollback", ["wait": false])
        #expect(back.changed && back.observed["chart"] == "store-1.0.0" && back.observed["revision"] == 3)
        #expect(try await !node.perform("rollback", ["revision": 1, "wait": false]).changed, "it is there already")
        #expect(await refusal { try await node.perform("rollback", ["revision": 77]) }?.code == .notFound)
    }

    @Test func `lists show every state, page by page`() async throws {
        let node = try await KubernetesNode()
        try await node.install()
        let listed = try await node.driver.perform(
            ActionCall(action: "release.list", resource: "helm", arguments: [:]), node.context)
        let release = try #require(listed.observed["releases"]?.asArray?.first)
        #expect(release["release"] == "shop" && release["revision"] == 1 && release["status"] == "deployed")
        let items = try await node.driver.inventory()
        #expect(items.map(\.resource) == ["helm/\(node.namespace)/shop"])
        let words = try node.calls(of: "helm", "list").last?["words"]?.asArray ?? []
        #expect(words.contains("--all") && words.contains("--max"), "the default hides states and cuts the list")
    }

    @Test func `Helm 4 is spoken to in its own words, Helm 5 not at all`() async throws {
        let node = try await KubernetesNode()
        for (version, isKnown) in [("v3.12.0", true), ("v4.2.4", true), ("v5.0.0", false), ("hello", false)] {
            try node.set(["helm_version": .string(version)])
            let found = await HelmDriver.detect(HelmTools.installed(root: node.folder.path))
            #expect((found != nil) == isKnown, "\(version)")
        }
        try node.set(["helm_version": "v4.2.4", "pods": "CrashLoopBackOff"])
        let driver = try #require(await HelmDriver.detect(HelmTools.installed(root: node.folder.path)))
        #expect(driver.version == "4.2.4")
        let error = await refusal {
            try await driver.perform(
                node.call("install", ["chart": node.chart("1.0.0"), "atomic": true]), node.context)
        }
        #expect(error?.code == .failed && error?.message == "the release failed and was removed again")
    }

    @Test func `a node without the tools has no driver`() async throws {
        let folder = try ScratchFolder("bare")
        #expect(HelmTools.installed(root: folder.path) == nil)
        #expect(await HelmDriver.detect(HelmTools(helm: ["/no/helm"], kubectl: ["/no/kubectl"])) == nil)
    }
}
