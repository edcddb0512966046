import DriverKit
import Testing
import WireProtocol

@testable import ZFSDriver

/// Odd but legal things that `zpool status` says, in words and, as OpenZFS 2.3 and later print them, in JSON.
@Suite struct PoolReadingTests {
    static let devices = """
        config:

        \tNAME        STATE     READ WRITE CKSUM
        \ttank        ONLINE       0     0     0
        \t  raidz2-0  ONLINE       0     0     0
        \t    sda     ONLINE       0     0     0
        \t    sdb     ONLINE       0     0     0

        errors: No known data errors

        """

    static func pool(_ headings: String) -> PoolStatus? {
        PoolStatus.parse("  pool: tank\n state: ONLINE\n\(headings)\(devices)").first
    }

    @Test func `an expansion is no part of the scrub before it`() throws {
        let pool = try #require(
            Self.pool(
                """
                  scan: scrub repaired 37.7M in 00:00:38 with 1 errors on Wed Aug  7 12:20:09 2024
                expand: expansion of raidz2-0 in progress since Wed Aug  7 12:18:13 2024
                \t62.9M / 129M copied at 550K/s, 48.80% done, 00:02:02 to go

                """))
        #expect(pool.scan.state == .finished && pool.scan.errors == 1 && pool.scan.percent == nil)
        #expect(pool.scan.ended == CTime.milliseconds("Wed Aug  7 12:20:09 2024"))
        #expect(pool.expansion?.hasPrefix("expansion of raidz2-0 in progress") == true)
        #expect(pool.devices.count == 4)
    }

    @Test(arguments: [
        "condense: log: condensing, 1/2 entries done", "novelty: in progress, 10% done",
        "    scan warning: skipped blocks that are paused since",
    ])
    func `a heading that nobody here knows ends the one before it`(heading: String) throws {
        let pool = try #require(
            Self.pool(
                "  scan: scrub repaired 0B in 00:00:01 with 0 errors on Wed Aug  7 12:20:09 2024\n\(heading)\n\tmore of it\n"
            ))
        #expect(pool.scan.said == "scrub repaired 0B in 00:00:01 with 0 errors on Wed Aug  7 12:20:09 2024")
        #expect(pool.scan.state == .finished && pool.scans.count == 1)
    }

    @Test func `a scrub that runs is not ended by a resilver that did`() throws {
        let pool = try #require(
            Self.pool(
                """
                  scan: scrub in progress since Wed Aug  7 12:18:13 2024
                \t1.00G / 2.00G scanned, 512M / 2.00G issued
                \t0B repaired, 25.00% done, no estimated completion time
                  scan: resilvered (mirror-0) 12.0M in 00:00:02 with 0 errors on Wed Aug  7 12:00:00 2024
                  scan: resilvered (mirror-1) 14.0M in 00:00:02 with 0 errors on Wed Aug  7 12:00:01 2024

                """))
        #expect(pool.scans.map(\.kind) == [.scrub, .resilver, .resilver])
        #expect(pool.scans.map(\.group) == [nil, "mirror-0", "mirror-1"])
        #expect(pool.scan.state == .running && pool.scan.percent == 25 && pool.scrub?.state == .running)
        #expect(!pool.isResilvering && pool.json["scans"]?.asArray?.count == 3)
    }

    @Test func `an error scrub is none`() throws {
        let pool = try #require(
            Self.pool(" scrub: scrubbed 3 error blocks in 0 days 00:00:01 on Wed Aug  7 12:20:09 2024\n"))
        #expect(pool.scrub == nil && pool.scan.kind == .errorScrub)
        let old = try #require(
            Self.pool(" scrub: scrub completed after 0h0m with 0 errors on Sat Nov 21 15:16:05 2026\n"))
        #expect(old.scrub?.state == .finished)
    }

    @Test func `names hold blanks, and only what holds data counts for its redundancy`() throws {
        let pool = try #require(PoolStatus.parse(PoolStatusTests.single).first)
        #expect(pool.name == "data pool" && pool.devices.first?.name == "data pool")
        #expect(pool.devices.first?.state == "ONLINE" && pool.devices[1].name == "/srv/my disk")
        // A disk that is called mirror is none; a mirrored log protects nothing.
        #expect(pool.unprotected.map(\.name) == ["/srv/my disk", "mirror"])
        #expect(pool.troubled.isEmpty && pool.devices.last?.state == "INUSE")
        #expect(pool.devices.last?.note == "currently in use" && pool.devices.last?.reads == nil)
    }

    // MARK: - JSON

    static func json(_ members: String) -> String {
        """
        {"output_version":{"command":"zpool status","vers_major":0,"vers_minor":1},"pools":{"tank":{"name":"tank",
        "state":"DEGRADED","guid":"3920273586464696295","txg":"16597","spa_version":"5000","zpl_version":"5",
        "status":"One or more devices could not be used.\\n\\tSufficient replicas exist.\\n","action":"Replace it.\\n",
        \(members),
        "vdevs":{"tank":{"name":"tank","vdev_type":"root","state":"DEGRADED","alloc_space":"1","read_errors":"0",
          "write_errors":"0","checksum_errors":"0","vdevs":{
          "mirror-0":{"name":"mirror-0","vdev_type":"mirror","state":"DEGRADED","read_errors":"0","write_errors":"0",
            "checksum_errors":"0","vdevs":{
            "sda":{"name":"sda","vdev_type":"disk","state":"HEALTHY","read_errors":"0","write_errors":"0",
              "checksum_errors":"1536"},
            "178":{"name":"178","vdev_type":"disk","state":"CANT_OPEN","read_errors":"0","write_errors":"0",
              "checksum_errors":"0","not_present":"1","was":"/dev/sdc1"},
            "sdd":{"name":"sdd","vdev_type":"disk","state":"CANT_OPEN","aux":"CORRUPT_DATA","read_errors":"0",
              "write_errors":"0","checksum_errors":"0"}}},
          "sde":{"name":"sde","vdev_type":"disk","state":"ONLINE","read_errors":0,"write_errors":0,"checksum_errors":0}}}},
        "logs":{"mirror-2":{"name":"mirror-2","vdev_type":"mirror","state":"ONLINE","vdevs":{}}},
        "special":{"nvme0":{"name":"nvme0","vdev_type":"disk","state":"ONLINE"}},
        "spares":{"sdf":{"name":"sdf","vdev_type":"disk","state":"INUSE"}},
        "error_count":"2","errlist":["rpool/vm:<0x1>","/srv/scan: none"]}}}
        """
    }
    static let finished = """
        "scan_stats":{"function":"SCRUB","state":"FINISHED","start_time":"1723033174","end_time":"1723033209",
        "to_examine":"1000","examined":"1000","skipped":"0","processed":"37700000","errors":"1","bytes_per_scan":"0",
        "pass_start":"1723033174","scrub_pause":"0","scrub_spent_paused":"0","issued_bytes_per_scan":"1000","issued":"1000"}
        """

    @Test func `the same is read from JSON, and more of it`() throws {
        let pool = try #require(try PoolStatus.parse(json: Self.json(Self.finished)).first)
        #expect(pool.name == "tank" && pool.state == "DEGRADED" && pool.action == "Replace it.")
        #expect(pool.status == "One or more devices could not be used. Sufficient replicas exist.")
        #expect(pool.scan.state == .finished && pool.scan.kind == .scrub && pool.scan.errors == 1)
        #expect(pool.scan.ended == 1_723_033_209_000 && pool.scan.said == "scrub finished with 1 errors")
        #expect(pool.devices.map(\.depth) == [0, 1, 2, 2, 2, 1, 1, 1, 1])
        #expect(pool.devices.map(\.state).dropFirst(2).prefix(3) == ["ONLINE", "UNAVAIL", "FAULTED"])
        #expect(pool.devices[3].note == "was /dev/sdc1" && pool.devices[4].note == "corrupt data")
        #expect(pool.unprotected.map(\.name) == ["sde", "nvme0"])
        #expect(pool.troubled.map(\.name) == ["tank", "mirror-0", "sda", "178", "sdd"])
        #expect(pool.hasDataErrors && pool.damaged == ["rpool/vm:<0x1>", "/srv/scan: none"])
    }

    @Test func `what is under way is told from JSON each by its own figures`() throws {
        let members = """
            "scan_stats":{"function":"SCRUB","state":"SCANNING","start_time":"1723033174","end_time":"0","to_examine":"2100",
            "examined":"2000","skipped":"100","errors":"0","scrub_pause":"1723033180","issued":"500",
            "err_scrub_func":"ERRORSCRUB","err_scrub_state":"FINISHED","err_scrub_start_time":"1723033190",
            "err_scrub_end_time":"1723033191","err_scrub_examined":"3","err_scrub_to_examine":"0","err_scrub_pause":"0",
            "rebuild_stats":{"mirror-0":{"name":"mirror-0","state":"ACTIVE","start_time":"1723033192","end_time":"0",
            "scanned":"10","to_scan":"40","errors":"0"}}},
            "raidz_expand_stats":{"name":"raidz2-0","state":"SCANNING","expanding_vdev":"0","start_time":"1723033093",
            "end_time":"0","to_reflow":"129","reflowed":"63","waiting_for_resilver":"0"}
            """
        let pool = try #require(try PoolStatus.parse(json: Self.json(members)).first)
        #expect(pool.scans.map(\.state) == [.paused, .finished, .running])
        #expect(pool.scans.map(\.kind) == [.scrub, .errorScrub, .resilver])
        #expect(pool.scans.map(\.percent) == [25, nil, 25] && pool.isResilvering)
        #expect(pool.expansion == "expansion of raidz2-0 in progress, 48 % done")
        let never = try #require(
            try PoolStatus.parse(json: Self.json(#""scan_stats":{"function":"NONE","state":"NONE"}"#)).first)
        #expect(never.scans.isEmpty && never.scan.state == .none)
        for text in ["", "{}", "[1]", #"{"pools":[]}"#, Self.json(Self.finished) + "x"] {
            #expect(throws: JSONError.self) { try PoolStatus.parse(json: text) }
        }
    }

    @Test func `a value cannot pass for a line of its own where the tool speaks JSON`() async throws {
        let tool = try ToolScript(
            #"""
            case "$TOOL $*" in
            "zfs list "*) printf 'tank/a\ntank/b\ntank/gone\n' ;;
            "zfs get -j -p "*gone*) echo "cannot open 'tank/gone': dataset does not exist" >&2; exit 1 ;;
            "zfs get -j -p "*) shift 5; printf '{"output_version":{"command":"zfs get"},"datasets":{'
                for name; do printf '%s"%s":{"name":"%s","type":"FILESYSTEM","pool":"tank","properties":{"used":{"value":"5","source":{"type":"NONE","data":"-"}},"innkeeper:owner":{"value":"x\\ntank/b\\tinnkeeper:owner\\tme\\tlocal","source":{"type":"INHERITED","data":"tank"}},"quota":{"value":"0","source":{"type":"LOCAL","data":"-"}}}}' "$comma" "$name" "$name"; comma=,; done
                echo '}}' ;;
            *) echo "unexpected $TOOL $*" >&2; exit 1 ;;
            esac
            """#, speaksJSON: true)
        let call = ActionCall(action: "dataset.list", resource: "zfs", arguments: [:])
        let list = try await tool.driver.perform(call, tool.context).observed["datasets"]?.asArray
        #expect(list?.map { $0["dataset"] } == ["tank/a", "tank/b"])
        #expect(list?.allSatisfy { $0["owner"] == nil && $0["used_bytes"] == 5 } == true)
        let found = try await tool.driver.require("tank/a", ["quota"])
        #expect(found.properties["innkeeper:owner"]?.source == "inherited from tank")
        #expect(found.properties["quota"]?.isLocal == true && found.properties["used"]?.source == "-")
    }

    @Test func `JSON is asked of tools that have it`() async throws {
        let new = try ToolScript(#"echo '{"output_version":{"command":"version","vers_major":0,"vers_minor":1}}'"#)
        #expect(await new.driver.tools.speakJSON())
        let old = try ToolScript(#"echo "invalid option 'j'" >&2; exit 2"#)
        #expect(await !old.driver.tools.speakJSON())
    }
}
