import DriverKit
import HelmDriver
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// Releases that do not come up, and what is said about it.
@Suite struct FailureTests {
    @Test func `a job that fails ends the waiting, with events and the job's last words`() async throws {
        let node = try await KubernetesNode(["job": "Failed", "log": ["cannot reach the database"]])
        let error = await refusal { try await node.install(wait: true) }
        #expect(error?.code == .failed && error?.changed == true && error?.retryable == false)
        #expect(
            error?.message.contains("job/shop-setup: failed: BackoffLimitExceeded") == true,
            "\(String(describing: error))")
        #expect(node.sent.withLock { $0 }.contains("cannot reach the database"))
        #expect(try await node.statuses() == ["deployed"], "whoever asked decides what becomes of it")
    }

    @Test func `pods that crash over and over run into the time limit, with their reason`() async throws {
        let node = try await KubernetesNode(["pods": "CrashLoopBackOff"])
        let error = await refusal {
            try await node.perform("install", ["chart": node.chart("1.0.0"), "timeout_s": 1])
        }
        #expect(error?.code == .timedOut && error?.retryable == true && error?.changed == true)
        #expect(error?.cause?.contains("CrashLoopBackOff") == true && error?.cause?.contains("OOMKilled (137)") == true)
        let report = node.sent.withLock { $0 }
        #expect(report.contains("last words of shop-web-5d9c-x7k2p") && report.contains("BackOff"))
        let seen = try await node.perform("ready").observed
        #expect(seen["ready"] == false && seen["failed"] == false)
    }

    @Test func `an ingress without an address is not ready, unless none is expected`() async throws {
        let node = try await KubernetesNode(["address": false])
        let error = await refusal {
            try await node.perform("install", ["chart": node.chart("1.0.0"), "timeout_s": 1])
        }
        #expect(error?.cause == "ingress/shop-web: has no address yet")
        #expect(try await node.perform("ready", ["ingress_address": false]).observed["ready"] == true)
    }

    @Test func `a hook that fails makes the release failed, and asking again upgrades on top of it`() async throws {
        let node = try await KubernetesNode(["hook": "Failed"])
        let error = await refusal { try await node.install() }
        #expect(error?.code == .failed && error?.message == "release shop is failed at revision 1")
        let status = try await node.perform("status").observed
        #expect(status["hooks"]?.asArray?.first?["phase"] == "Failed" && status["status"] == "failed")
        try node.set([:])
        #expect(try await node.install().observed["revision"] == 2)
    }

    @Test func `an atomic upgrade that fails is back at what was`() async throws {
        let node = try await KubernetesNode()
        try await node.install()
        try node.set(["pods": "ImagePullBackOff"])
        let error = await refusal {
            try await node.perform("upgrade", ["chart": node.chart("1.1.0"), "atomic": true])
        }
        #expect(
            error?.code == .failed && error?.message == "the release failed and is back at what it was in revision 1")
        #expect(try await node.perform("status").observed["chart"] == "store-1.0.0")
    }

    @Test func `an object of somebody else in the way is a failure that names it`() async throws {
        let node = try await KubernetesNode(["foreign": ["deployment/shop-web"]])
        let error = await refusal { try await node.install() }
        #expect(error?.code == .failed && error?.cause?.contains("invalid ownership metadata") == true)
    }

    @Test func `logs and events of a release are its own`() async throws {
        let node = try await KubernetesNode(["pods": "Pending", "ready_after": 0])
        try await node.install()
        try await node.perform(
            "install", ["namespace": .string(node.namespace), "chart": node.chart("1.0.0"), "wait": false],
            release: "shop2")
        let events = try await node.perform("events").observed["events"]?.asArray ?? []
        #expect(events.count == 3)
        #expect(events.allSatisfy { $0["object"]?.asString?.hasPrefix("pod/shop-") == true })
        try node.set(["ready_after": 0])
        let logs = try await node.perform("logs", ["tail": 1])
        let sent = node.sent.withLock { $0 }
        #expect(
            sent.contains("[pod/shop-db-0/main] listening\n") && !sent.contains("shop2") && !sent.contains("starting"))
        #expect(logs.observed["pods"] == ["shop-db-0", "shop-setup-q8r4d", "shop-web-5d9c-x7k2p"])
        let error = await refusal { try await node.perform("logs", ["pod": "shop2-db-0"]) }
        #expect(error?.code == .notFound, "a pod of another release is none of this one")
    }

    @Test func `a log that is followed goes on until the call is cancelled`() async throws {
        let node = try await KubernetesNode(["ready_after": 0])
        try await node.install()
        let task = Task { try await node.perform("logs", ["pod": "shop-db-0", "follow": true]) }
        #expect(await eventually { node.sent.withLock { $0 }.contains("tick\n[pod/shop-db-0/main] tick") })
        task.cancel()
        #expect(await refusal { try await task.value }?.code == .cancelled)
    }
}
