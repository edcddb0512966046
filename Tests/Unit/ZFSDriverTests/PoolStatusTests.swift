import DriverKit
import Testing
import Model
import WireProtocol

@testable import ZFSDriver

@Suite struct PoolStatusTests {
    static let degraded = """
          pool: rpool
         state: DEGRADED
        status: One or more devices could not be used because the label is missing or
        \tinvalid.  Sufficient replicas exist for the pool to continue
        \tfunctioning in a degraded state.
        action: Replace the device using 'zpool replace'.
           see: https://example.org/msg/4J
          scan: scrub in progress since Sun Jul 16 23:21:45 2023
        \t6.99T scanned at 1.20G/s, 6.68T issued at 0B/s, 32.1T total
        \t0B repaired, 20.80% done, 1 days 01:23:45 to go
        config:

        \tNAME                      STATE     READ WRITE CKSUM
        \trpool                     DEGRADED     0     0     0
        \t  raidz2-0                DEGRADED     0     0     0
        \t    sda                   ONLINE       0     0 1.50K
        \t    17844476680277185950  UNAVAIL      0     0     0  was /dev/sdc1
        \tlogs\t
        \t  nvme0n1p4               ONLINE       0     0     0

        errors: Permanent errors have been detected in the following files:

                rpool/vm-100-disk-0:<0x1>
                /srv/scan: none

          pool: two
         state: ONLINE
          scan: scrub repaired 0B in 04:12:33 with 2 errors on Sun Aug  3 04:12:33 2025
        config:

        \tNAME        STATE     READ WRITE CKSUM
        \ttwo         ONLINE       0     0     0

        errors: No known data errors

        """
    static let single = """
          pool: data pool
         state: ONLINE
        config:

        \tNAME            STATE     READ WRITE CKSUM
        \tdata pool       ONLINE       0     0     0
        \t  /srv/my disk  ONLINE       0     0     0
        \t  mirror-1      ONLINE       0     0     0
        \t    sda         ONLINE       0     0     0
        \t    sdb         ONLINE       0     0     0
        \tlogs\t
        \t  mirror-2      ONLINE       0     0     0
        \t    sdc         ONLINE       0     0     0
        \t    sdd         ONLINE       0     0     0
        \tspecial\t
        \t  mirror        ONLINE       0     0     0
        \tspares
        \t  sdf           INUSE     currently in use

        errors: No known data errors

        """

    @Test func `pools, devices and damage are read from the words for people`() throws {
        let pools = PoolStatus.parse(Self.degraded)
        #expect(pools.map(\.name) == ["rpool", "two"])
        let first = try #require(pools.first)
        #expect(first.state == "DEGRADED" && first.hasDataErrors && first.unprotected.isEmpty)
        #expect(first.status?.hasSuffix("functioning in a degraded state.") == true)
        #expect(first.scan.state == .running && first.scan.percent == 20.8)
        #expect(first.scan.secondsLeft == 91_425)
        #expect(first.damaged == ["rpool/vm-100-disk-0:<0x1>", "/srv/scan: none"])
        #expect(first.devices.map(\.depth) == [0, 1, 2, 2, 1])
        #expect(first.devices.map(\.role) == ["data", "data", "data", "data", "logs"])
        #expect(first.devices[3].note == "was /dev/sdc1" && first.devices[1].group == "raidz")
        #expect(first.troubled.map(\.name) == ["rpool", "raidz2-0", "sda", "17844476680277185950"])
        #expect(first.devices[2].checksums == 1536)
        #expect(!pools[1].hasDataErrors && pools[1].scan.errors == 2 && pools[1].scan.state == .finished)
        #expect(pools[1].unprotected.isEmpty, "a pool without devices is none that was looked at")
    }

    @Test(
        arguments: [
            ("none requested", .none),
            ("scrub completed after 0h0m with 0 errors on Sat Nov 21 15:16:05 2026", .finished),
            ("scrub in progress for 0h3m, 45.10% done, 0h4m to go", .running),
            ("scrub stopped after 0h1m with 0 errors on Sat Nov 21 15:16:05 2026", .cancelled),
            ("scrub canceled on Sat Nov 21 15:16:05 2026", .cancelled),
            ("scrub paused since Sat Nov 21 15:16:05 2026 scrub started on Sat Nov 21 15:10:05 2026", .paused),
            ("resilvered 432K in 00:00:01 with 0 errors on Fri Dec 23 11:14:23 2022", .finished), ("", .none),
            ("resilver in progress since Sat Nov 21 15:16:05 2026", .running), ("something new", .unknown),
            ("thorough scrub repaired 0B in 00:00:01 with 0 errors on Fri Dec 23 11:14:23 2022", .finished),
            ("scrubbed 3 error blocks in 0 days 00:00:01 on Fri Dec 23 11:14:23 2022", .finished),
            (
                "error scrub paused since Sat Nov 21 15:16:05 2026 error scrub started on Sat Nov 21 15:10:05 2026",
                .paused
            ),
            ("scrub repaired 1B by a way that is new", .finished), ("scrub repairs something", .unknown),
        ] as [(String, PoolScan.State)])
    func `the sentence of a scan is understood in old words and new`(sentence: String, state: PoolScan.State) {
        #expect(PoolScan(sentence).state == state)
    }

    @Test func `anything printed in place of a status does not trap`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var bytes = Array(Self.degraded.utf8)
            for _ in 0..<Int.random(in: 1...30, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0...2, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + 40))
                default: bytes.insert(contentsOf: Array("99999999999999999999".utf8), at: place)
                }
                if bytes.isEmpty { bytes = [0x20] }
            }
            for pool in PoolStatus.parse(String(decoding: bytes, as: UTF8.self)) { _ = pool.json }
        }
    }

    @Test func `suggestions follow from what was seen, the gravest first`() {
        let datasets = ZFSObject.parse(
            """
            tank/a\tused\t95\t-\ntank/a\tquota\t100\tlocal\ntank/a\tsync\tdisabled\tlocal
            tank/b\tusedbydataset\t2000000000\t-\ntank/b\tcompression\toff\tdefault\ntank/b\tatime\ton\tdefault
            tank/b\tdedup\ton\tlocal\ntank/b\tused\t8000000000\t-\ntank/b\tusedbysnapshots\t6000000000\t-
            """)
        let snapshot = ZFSObject.parse("tank/b@old\tused\t5000\t-\ntank/b@old\tcreation\t1500000000\t-\n")
        let survey = Survey(
            pools: ZFSPool.parse("tank\t1000\t950\t50\t95\tDEGRADED\n"), fragmentation: ["tank": 60],
            statuses: PoolStatus.parse(Self.degraded + Self.single), datasets: datasets,
            snapshots: [SnapshotUsage(datasets[1], snapshot)],
            arc: ArcStatistics("hits 4 2000000\nmisses 4 3000000\nsize 4 990\nc_max 4 1000\n"),
            now: .now())
        let kinds = survey.suggestions.map(\.kind)
        let expected = [
            "pool_full", "pool_unhealthy", "data_errors", "scrub_errors", "device_errors", "dedup", "sync_disabled",
            "quota_full", "snapshots_large", "fragmented", "no_redundancy", "no_compression", "atime", "snapshots_old",
            "arc_misses",
        ]
        for kind in expected { #expect(kinds.contains(kind), "\(kind)") }
        let weights = survey.suggestions.map(\.weight)
        #expect(weights == weights.sorted())
    }

    @Test func `the cache is told from the kernel's figures`() throws {
        let text =
            "13 1 0x01 123 33456 1 2\nname                            type data\nhits                            4    900\nmisses                          4    100\nsize 4 4096\nc_max 4 8192\n"
        let statistics = try #require(ArcStatistics(text))
        #expect(statistics.hitRatio == 0.9)
        #expect(statistics.json["size_bytes"] == 4096 && statistics.json["maximum_bytes"] == 8192)
        #expect(ArcStatistics("") == nil && ArcStatistics("size 4 x\n") == nil)
    }
}
