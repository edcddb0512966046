import DriverKit
import Processes
import TestSupport
import Testing
import WireProtocol

@testable import ZFSDriver

/// Whose a dataset is, on a real pool.
@Suite struct MarkTests {
    private static func mark(_ service: String, _ nonce: String? = nil) -> JSONValue {
        var mark: JSONObject = ["service": .string(service)]
        mark["nonce"] = nonce.map(JSONValue.string)
        return .object(mark)
    }

    private func failure(_ body: () async throws -> ActionOutcome) async -> DriverErrorCode? {
        await #expect(throws: DriverError.self) { _ = try await body() }?.code
    }

    @Test func `a new dataset bears its mark from its creation, and only that mark changes it`() async throws {
        let pool = try await RealPool()
        let made = try await pool.ensure(["mark": Self.mark("svc_1")])
        #expect(made.observed["mark"] == ["service": "svc_1", "nonce": "test"], "the command is the nonce")
        #expect(try await pool.get(ZFSObject.nonceProperty) == "test")
        let name = JSONValue.string(pool.dataset)
        for wrong in [Self.mark("svc_2"), Self.mark("svc_1", "other")] {
            #expect(await failure { try await pool.ensure(["mark": wrong, "quota_bytes": 1_048_576]) } == .foreign)
            for action in ["dataset.quota", "dataset.destroy", "dataset.snapshot"] {
                var arguments: JSONObject = ["dataset": name, "mark": wrong]
                if action == "dataset.quota" { arguments["quota_bytes"] = 1_048_576 }
                if action == "dataset.snapshot" { arguments["snapshot"] = "s" }
                #expect(await failure { try await pool.perform(action, arguments) } == .foreign, "\(action)")
            }
        }
        #expect(try await pool.get("quota") == "0")
        let own = Self.mark("svc_1", "test")
        #expect(try await !pool.ensure(["mark": own]).changed)
        let gone = try await pool.perform("dataset.destroy", ["dataset": name, "mark": own])
        #expect(gone.changed && gone.observed["unmarked"] == nil)
        #expect(try await !pool.perform("dataset.destroy", ["dataset": name, "mark": own]).changed)
    }

    @Test func `what bears no mark, or inherits one, is a stranger's until it is taken into care`() async throws {
        let pool = try await RealPool()
        try await pool.ensure(["mark": Self.mark("svc_1")])
        let child = "\(pool.dataset)/child"
        let made = try await pool.zfs.command("/usr/sbin/zfs", "create", child)
        try #require(made.succeeded)
        let order: JSONObject = ["dataset": .string(child), "mark": Self.mark("svc_1"), "quota_bytes": 1_048_576]
        #expect(await failure { try await pool.perform("dataset.quota", order, on: "zfs/\(child)") } == .foreign)
        let care: JSONObject = ["dataset": .string(child), "mark": Self.mark("svc_1", "n1")]
        #expect(try await pool.perform("dataset.mark", care, on: "zfs/\(child)").changed)
        #expect(try await !pool.perform("dataset.mark", care, on: "zfs/\(child)").changed)
        #expect(try await pool.perform("dataset.quota", order, on: "zfs/\(child)").changed)
        let theft: JSONObject = ["dataset": .string(child), "mark": Self.mark("svc_2")]
        #expect(await failure { try await pool.perform("dataset.mark", theft, on: "zfs/\(child)") } == .foreign)
        // The mark is taken away meanwhile.
        _ = try await pool.zfs.command("/usr/sbin/zfs", "inherit", ZFSObject.ownerProperty, child)
        #expect(await failure { try await pool.perform("dataset.quota", order, on: "zfs/\(child)") } == .foreign)
    }

    @Test func `a clone has a mark of its own, and a received copy does not bring one along`() async throws {
        let pool = try await RealPool()
        try await pool.ensure(["mark": Self.mark("svc_1")])
        try await pool.snapshot("s")
        let (clone, copy) = ("\(pool.dataset)-clone", "\(pool.dataset)-copy")
        let cloned = try await pool.perform(
            "dataset.clone",
            [
                "dataset": .string(pool.dataset), "snapshot": "s", "target": .string(clone),
                "mark": Self.mark("svc_2", "n2"),
            ], on: "zfs/\(clone)")
        #expect(cloned.observed["mark"] == ["service": "svc_2", "nonce": "n2"])
        let source: JSONObject = ["dataset": .string(pool.dataset), "snapshot": "s", "target": .string(copy)]
        _ = try await pool.perform("dataset.copy", source, on: "zfs/\(copy)")
        #expect(try await pool.get(ZFSObject.ownerProperty, of: copy) == "-")
        var marked = source
        marked["mark"] = Self.mark("svc_2")
        #expect(await failure { try await pool.perform("dataset.copy", marked, on: "zfs/\(copy)") } == .foreign)
        let own = "\(copy)-own"
        marked["target"] = .string(own)
        #expect(try await pool.perform("dataset.copy", marked, on: "zfs/\(own)").changed)
        #expect(try await pool.get(ZFSObject.ownerProperty, of: own) == "svc_2")
        #expect(try await !pool.perform("dataset.copy", marked, on: "zfs/\(own)").changed)
        marked["mark"] = Self.mark("svc_3")
        #expect(await failure { try await pool.perform("dataset.copy", marked, on: "zfs/\(own)") } == .foreign)
    }

    @Test func `a stream neither marks nor overwrites what is there and bears no mark`() async throws {
        let pool = try await RealPool()
        try await pool.ensure()
        try await pool.snapshot("s")
        let stream = try await pool.sent(["snapshot": "s"])
        let target = "\(pool.dataset)-strange"
        #expect(try await pool.zfs.command("/usr/sbin/zfs", "create", target).succeeded)
        #expect(try await pool.zfs.command("/usr/sbin/zfs", "snapshot", "\(target)@theirs").succeeded)
        for more: JSONObject in [
            ["mark": Self.mark("svc_1")], ["mark": Self.mark("svc_1"), "overwrite": true],
            ["owner": "svc_1", "overwrite": true],
        ] {
            #expect(await failure { try await pool.receive(stream, into: target, more) } == .foreign, "\(more)")
        }
        #expect(try await pool.get(ZFSObject.ownerProperty, of: target) == "-")
        #expect(try await pool.get("type", of: "\(target)@theirs") == "snapshot")
        #expect(try await pool.get("type", of: "\(target)@s") == "")
    }
}
