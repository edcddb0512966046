import DriverKit
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import ZFSDriver

@Suite struct ObservationTests {
    let pool = ZFSPool.parse("tank\t1000\t400\t600\t40\tONLINE\n")
    let start = ContinuousClock.Instant.now

    func dataset(_ mebibytes: Int) -> [ZFSObject] {
        ZFSObject.parse("tank\tused\t999\t-\ntank/a\tused\t\(mebibytes << 20)\t-\ntank/a\tquota\t77\tlocal\n")
    }

    @Test func `space is counted over time and never counted back`() {
        var observation = ZFSObservation(epoch: "e")
        _ = observation.update(pool)
        observation.update(dataset(10), at: start)
        #expect(observation.usage(at: start).first?.value ?? 0 == 0)
        _ = observation.update(pool)
        observation.update(dataset(1), at: start + .seconds(60))
        let counter = observation.usage(at: start + .seconds(90))
        // 10 MiB for 60 s, then 1 MiB for 30 s; the pool's own file system counts for nobody.
        #expect(counter == [UsageCounter(subject: "zfs/tank/a", meter: "disk_mib_seconds", epoch: "e", value: 630)])
    }

    @Test func `a dataset that is gone is reported once more and then forgotten`() {
        var observation = ZFSObservation(epoch: "e")
        _ = observation.update(pool)
        observation.update(dataset(10), at: start)
        _ = observation.update(pool)
        observation.update([], at: start + .seconds(10))
        #expect(observation.usage(at: start + .seconds(20)).map(\.value) == [100])
        #expect(observation.usage(at: start + .seconds(30)).isEmpty)
    }

    @Test func `only a pool whose health changes is an event, and one that is gone`() {
        var observation = ZFSObservation(epoch: "e")
        #expect(observation.update(pool).isEmpty)
        let degraded = ZFSPool.parse("tank\t1000\t400\t600\t40\tDEGRADED\n")
        #expect(observation.update(degraded) == [PoolChange(pool: "tank", health: "DEGRADED", before: "ONLINE")])
        #expect(observation.update(degraded).isEmpty)
        #expect(observation.update([]) == [PoolChange(pool: "tank", health: nil, before: "DEGRADED")])
        #expect(observation.update([]).isEmpty)
    }

    @Test func `a pool that cannot be opened is in the list, and an event, though it has no sizes`() async throws {
        let tool = try ToolScript(
            """
            case "$TOOL $*" in
            "zpool list -H -p -o"*) printf 'good\\t1000\\t400\\t600\\t40\\tONLINE\\ntank\\t-\\t-\\t-\\t-\\tUNAVAIL\\n' ;;
            "zfs get "*good) printf 'good\\tavailable\\t500\\t-\\n' ;;
            "zfs get "*) echo "cannot open 'tank': pool I/O is currently suspended" >&2; exit 1 ;;
            "zfs list "*) echo "cannot iterate filesystems: I/O error" >&2; exit 1 ;;
            esac
            """)
        let call = ActionCall(action: "pool.list", resource: "zfs", arguments: [:])
        let pools = try await tool.driver.perform(call, tool.context).observed["pools"]
        #expect(pools?.asArray?.last == ["name": "tank", "health": "UNAVAIL"])
        #expect(pools?.asArray?.first?["available_bytes"] == 500)
        let events = await tool.driver.lookAround()
        #expect(events.map(\.resource) == ["zpool/tank"] && events.first?.data["health"] == "UNAVAIL")
        #expect(await tool.driver.lookAround().isEmpty)
    }

    @Test func `a failed look leaves no old values but keeps what was counted`() {
        var observation = ZFSObservation(epoch: "e")
        _ = observation.update(pool)
        observation.update(dataset(10), at: start)
        #expect(observation.series.map(\.name).contains("zfs/tank/a.used"))
        observation.fail()
        #expect(observation.series.isEmpty)
        #expect(observation.usage(at: start + .seconds(10)).map(\.value) == [100])
    }

    @Test(.enabled(if: ZFSFuse.isAvailable, "needs root, /dev/fuse and zfs-fuse"))
    func `the real pool is seen in facts, inventory, samples and by detection`() async throws {
        let real = try await RealPool()
        try await real.ensure(["quota_bytes": 30_000_000, "owner": "svc9"])
        let driver = try #require(await ZFSDriver.detect(real.driver.tools))
        #expect(driver.version == "pool-version-23")

        let facts = try #require(await driver.facts()["pools"]?.asArray?.first { $0["name"] == .string(real.zfs.pool) })
        #expect(facts["health"] == "ONLINE")
        #expect(facts["available_bytes"]?.asInteger ?? 0 > 50_000_000)

        let item = try #require(try await driver.inventory().first { $0.resource == "zfs/\(real.dataset)" })
        #expect(item.state["owner"] == "svc9")
        #expect(item.state["quota_bytes"] == 30_000_000)

        #expect(await driver.lookAround().isEmpty)
        var batch = SampleBatch()
        await driver.sample(into: &batch)
        let place = try #require(batch.names.firstIndex(of: "zfs/\(real.dataset).quota"))
        #expect(batch.values[place] == 30_000_000)
        #expect(batch.names.contains("zpool/\(real.zfs.pool).online"))
    }

    @Test(.enabled(if: ZFSFuse.isAvailable, "needs root, /dev/fuse and zfs-fuse"))
    func `usage and properties are told as ZFS has them`() async throws {
        let real = try await RealPool()
        try await real.ensure(["quota_bytes": 30_000_000])
        let usage = try await real.perform("dataset.usage", ["dataset": .string(real.dataset)]).observed
        #expect(usage["quota_bytes"] == 30_000_000)
        #expect(usage["used_bytes"]?.asInteger ?? 0 > 0)
        let properties = try await real.perform(
            "dataset.properties", ["dataset": .string(real.dataset), "names": ["setuid", "atime"]]
        ).observed["properties"]
        #expect(
            properties == [
                "atime": ["value": "on", "source": "default"], "setuid": ["value": "off", "source": "local"],
            ])
        let list = try await real.perform("dataset.list", ["dataset": .string(real.dataset)]).observed["datasets"]
        #expect(list?.asArray?.map { $0["dataset"] } == [.string(real.dataset)])
        let all = try await real.perform("dataset.properties", ["dataset": .string(real.dataset)]).observed
        #expect(all["properties"]?.asObject?.count ?? 0 > 30)
    }
}
