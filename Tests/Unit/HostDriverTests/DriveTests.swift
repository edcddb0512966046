import DriverKit
import Glibc
import HostDriver
import Testing
import WireProtocol

@Suite struct DriveTests {
    static let files = [
        "/proc/sys/kernel/osrelease": "6.1.0-28-amd64\n", "/sys/block/sda/size": "7814037168\n",
        "/sys/block/sda/removable": "0\n", "/sys/block/sda/device/model": "WDC WD40  \n",
        "/sys/block/sda/queue/rotational": "1\n", "/sys/block/sda/device/wwid": "naa.50014ee2\n",
        "/sys/block/sda/stat": "100 5 2000 50 200 6 4000 400 3 700 450 0 0 0 0 0 0\n",
        "/sys/block/nvme0n1/size": "1000215216\n", "/sys/block/nvme0n1/device/model": "Fast\n",
        "/sys/block/nvme0n1/device/serial": "S1\n", "/sys/block/nvme0n1/queue/rotational": "0\n",
        "/sys/block/nvme0n1/stat": "0 0 0 0 0 0 0 0 0 0 0\n", "/sys/block/loop0/size": "8\n",
        "/sys/block/dm-0/size": "8\n", "/sys/block/zd16/size": "8\n", "/sys/block/rbd0/size": "8\n",
        "/sys/block/mmcblk0boot0/size": "8\n", "/sys/block/mmcblk0gp1/size": "8\n",
        "/sys/block/nvme0c0n1/size": "1000215216\n", "/sys/block/nvme0c0n1/hidden": "1\n",
        "/sys/block/nvme0n1/hidden": "0\n",
    ]
    static let ata = """
        {"json_format_version":[1,0],"smartctl":{"version":[7,3],"exit_status":64},
         "device":{"name":"/dev/sda","type":"sat","protocol":"ATA"},"model_name":"WDC WD40","serial_number":"W1",
         "firmware_version":"82.00","user_capacity":{"blocks":7814037168,"bytes":4000787030016},"rotation_rate":5400,
         "smart_status":{"passed":true},"power_on_time":{"hours":41234},"power_cycle_count":12,"temperature":{"current":34},
         "ata_smart_attributes":{"table":[
          {"id":5,"name":"Reallocated_Sector_Ct","value":199,"worst":199,"thresh":140,"when_failed":"","raw":{"value":8,"string":"8"}},
          {"id":194,"name":"Temperature_Celsius","value":113,"worst":98,"thresh":0,"when_failed":"","raw":{"value":34,"string":"34"}}]},
         "ata_smart_self_test_log":{"standard":{"table":[
          {"type":{"value":1,"string":"Short offline"},"status":{"string":"Completed without error","passed":true},"lifetime_hours":41000}]}}}
        """
    static let nvme = """
        {"smartctl":{"version":[7,4],"exit_status":0},"device":{"name":"/dev/nvme0n1","type":"nvme","protocol":"NVMe"},
         "model_name":"Fast","smart_status":{"passed":true},"temperature":{"current":41},"power_on_time":{"hours":3150},
         "nvme_smart_health_information_log":{"critical_warning":0,"percentage_used":2,"available_spare":100,
          "available_spare_threshold":10,"media_errors":0}}
        """

    static func smartctl(_ ata: String = ata, code: Int = 64) -> String {
        """
        echo "$*" >>"$RECORD"
        case "$*" in
        *nvme0n1) cat <<'END'
        \(nvme)
        END
        ;;
        *) cat <<'END'
        \(ata)
        END
        exit \(code) ;;
        esac
        """
    }

    @Test func `the whole disks are listed and nothing that is made of them`() async throws {
        let folder = try ToolFolder(files: Self.files)
        let drives = try await folder.perform("drive.list")["drives"]
        #expect(
            drives == [
                [
                    "name": "nvme0n1", "device": "/dev/nvme0n1", "size_bytes": 512_110_190_592, "removable": false,
                    "model": "Fast", "serial": "S1", "rotational": false,
                ],
                [
                    "name": "sda", "device": "/dev/sda", "size_bytes": 4_000_787_030_016, "removable": false,
                    "model": "WDC WD40", "wwid": "naa.50014ee2", "rotational": true,
                ],
            ])
        let statistics = try await folder.perform("drive.statistics", ["drive": "sda"])["drives"]?.asArray?.first
        #expect(statistics?["read_bytes"] == 1_024_000 && statistics?["written_bytes"] == 2_048_000)
        #expect(statistics?["busy_ms"] == 700 && statistics?["in_flight"] == 3)
        #expect(statistics?["write_wait_ms"] == .number(2))
    }

    @Test func `health is what the drive says, whatever the exit code`() async throws {
        let folder = try ToolFolder(["smartctl": Self.smartctl()], files: Self.files)
        let health = try await folder.perform("drive.health")
        let drives = try #require(health["drives"]?.asArray)
        #expect(drives.map { $0["name"] } == ["nvme0n1", "sda"])
        #expect(drives[0]["verdict"] == "well" && drives[0]["temperature_celsius"] == 41)
        #expect(drives[1]["verdict"] == "worn" && drives[1]["power_on_hours"] == 41234)
        #expect(drives[1]["problems"] == ["the drive's error log has entries", "8 reallocated sectors"])
        #expect(drives[1]["attributes"] == nil && health["troubled"] == 1)
        let one = try await folder.perform("drive.health", ["drive": "sda"])["drives"]?.asArray?.first
        #expect(one?["attributes"]?.asArray?.first?["raw"] == 8)
        #expect(one?["self_tests"]?.asArray?.first?["passed"] == true)
        _ = try await folder.perform("drive.health", ["drive": "sda", "wake": true])
        #expect(
            folder.record().split(separator: "\n") == [
                "--json -a -n standby /dev/nvme0n1", "--json -a -n standby /dev/sda", "--json -a -n standby /dev/sda",
                "--json -a /dev/sda",
            ])
    }

    @Test(arguments: [
        (#"{"smartctl":{"exit_status":8},"smart_status":{"passed":false}}"#, 8, "failing"),
        (
            #"{"smartctl":{"exit_status":0},"smart_status":{"passed":true},"nvme_smart_health_information_log":{"critical_warning":4}}"#,
            0, "failing"
        ),
        (
            #"{"smartctl":{"exit_status":2,"messages":[{"string":"Device is in STANDBY mode, exit(2)","severity":"information"}]}}"#,
            2, "asleep"
        ),
        (#"{"smartctl":{"exit_status":4}}"#, 4, "unknown"),
        (
            #"{"smart_status":{"passed":true},"scsi_error_counter_log":{"write":{"total_uncorrected_errors":8}}}"#, 0,
            "worn"
        ),
        (#"{"smart_status":{"passed":true},"scsi_pending_defects":{"count":1}}"#, 0, "worn"),
        (
            #"{"smart_status":{"passed":true},"scsi_self_test_0":{"result":{"value":7,"string":"Failed in segment"}}}"#,
            128, "failing"
        ),
        (
            #"{"smart_status":{"passed":true},"scsi_self_test_0":{"result":{"value":2}},"scsi_self_test_1":{"result":{"value":0}},"scsi_self_test_2":{"result":{"value":4}}}"#,
            0, "worn"
        ),
        (#"{"smart_status":{"passed":true},"scsi_self_test_0":{"result":{"value":15}}}"#, 0, "well"),
        (
            #"{"smart_status":{"passed":true},"nvme_self_test_log":{"table":[null,{"self_test_result":{"value":1}},{"self_test_result":{"value":7}}]}}"#,
            0, "failing"
        ),
        (
            #"{"smart_status":{"passed":true},"ata_smart_self_test_log":{"standard":{"table":[{"status":{"value":121,"passed":false}}]}}}"#,
            0, "failing"
        ),
        (
            #"{"smart_status":{"passed":true},"ata_smart_self_test_log":{"extended":{"table":[{"status":{"value":25,"passed":true}}]}}}"#,
            0, "well"
        ),
    ])
    func `a drive is judged by what it says`(report: String, code: Int, verdict: String) async throws {
        let folder = try ToolFolder(["smartctl": Self.smartctl(report, code: code)], files: Self.files)
        let drive = try await folder.perform("drive.health", ["drive": "sda"])["drives"]?.asArray?.first
        #expect(drive?["verdict"] == .string(verdict))
    }

    @Test func `no smartctl is unavailable, an unknown drive is not found, and a path is no drive`() async throws {
        let folder = try ToolFolder(files: Self.files)
        let missing = await #expect(throws: DriverError.self) { try await folder.perform("drive.health") }
        #expect(missing?.code == .unavailable && missing?.cause?.contains("smartmontools") == true)
        let unknown = await #expect(throws: DriverError.self) {
            try await folder.perform("drive.statistics", ["drive": "sdz"])
        }
        #expect(unknown?.code == .notFound)
        for name in ["../sda", "-a", "", "sda;reboot", "/dev/sda"] {
            let refused = await #expect(throws: DriverError.self) {
                try await folder.perform("drive.health", ["drive": .string(name)])
            }
            #expect(refused?.code == .invalidArgument)
        }
    }

    @Test func `one drive that cannot be asked does not hide the others`() async throws {
        let denied =
            #"{"smartctl":{"exit_status":2,"messages":[{"string":"Smartctl open device: /dev/sda failed: Permission denied","severity":"error"}]}}"#
        let folder = try ToolFolder(["smartctl": Self.smartctl(denied, code: 2)], files: Self.files)
        let drives = try await folder.perform("drive.health")["drives"]?.asArray
        #expect(drives?.map { $0["verdict"] } == ["well", "unknown"])
        let alone = await #expect(throws: DriverError.self) {
            try await folder.perform("drive.health", ["drive": "sda"])
        }
        #expect(alone?.code == .permissionDenied)
    }

    static let made = Self.files.merging([
        "/sys/block/sda/device/vendor": "DELL    \n", "/sys/block/sda/device/model": "PERC H730P Mini \n",
        "/sys/block/sdb/size": "1000\n", "/sys/block/sdb/device/vendor": "LSILOGIC\n",
        "/sys/block/sdb/device/model": "Logical Volume  \n",
    ]) { $1 }

    @Test func `a disk that a controller makes up says how to ask for its drives, and is not well`() async throws {
        let folder = try ToolFolder(
            ["smartctl": Self.smartctl(#"{"smart_status":{"passed":true}}"#, code: 0)], files: Self.made)
        let drives = try #require(try await folder.perform("drive.health")["drives"]?.asArray)
        #expect(drives.map { $0["verdict"] } == ["well", "unknown", "unknown"])
        let advice = drives.map { $0["problems"]?.asArray?.first?.asString ?? "" }
        #expect(advice[1].contains("smartctl -d megaraid,N /dev/sda") && advice[2].contains("/dev/sgN"))
        #expect(try await folder.perform("drive.list")["drives"]?.asArray?.last?["raid"] == true)
        let member = try await folder.perform("drive.health", ["drive": "sda", "member": "megaraid,4"])["drives"]?
            .asArray?
            .first
        #expect(member?["verdict"] == "well" && member?["member"] == "megaraid,4")
        #expect(folder.record().hasSuffix("--json -a -n standby -d megaraid,4 /dev/sda\n"))
    }

    @Test func `a controller that refuses its disk is quoted with what to pass`() async throws {
        let refusal =
            #"{"smartctl":{"exit_status":2,"messages":[{"string":"Smartctl open device: /dev/sda failed: DELL or MegaRaid controller, please try adding '-d megaraid,N'","severity":"error"}]}}"#
        let folder = try ToolFolder(["smartctl": Self.smartctl(refusal, code: 2)], files: Self.made)
        let error = await #expect(throws: DriverError.self) {
            try await folder.perform("drive.health", ["drive": "sda"])
        }
        #expect(error?.code == .unsupported && error?.cause?.contains("member megaraid,N") == true)
    }

    @Test(arguments: [
        "", "megaraid", "megaraid,", "megaraid,-1", "megaraid,+1", "megaraid,4 -x", "sat", "test,1", "megaraid,1,2,3,4",
        "a+b+megaraid,1", "x+megaraid,1", "megaraid,4;id", "areca,1//2",
    ])
    func `what is no place behind a controller is refused`(member: String) async throws {
        let folder = try ToolFolder(["smartctl": Self.smartctl()], files: Self.made)
        let error = await #expect(throws: DriverError.self) {
            try await folder.perform("drive.health", ["drive": "sda", "member": .string(member)])
        }
        #expect(error?.code == .invalidArgument && folder.record() == "")
    }

    @Test func `the kernel's driver tells of a controller whose disks tell nothing`() async throws {
        let folder = try ToolFolder(
            ["smartctl": Self.smartctl(#"{"smartctl":{"exit_status":4}}"#, code: 4)],
            files: [
                "/proc/sys/kernel/osrelease": "6.1.0-28-amd64\n", "/sys/block/sdc/size": "8\n",
                "/sys/devices/3:2:0:0/model": "VOLUME\n", "/sys/class/scsi_host/host3/proc_name": "hpsa\n",
            ])
        try #require(symlink("../../devices/3:2:0:0", "\(folder.root.path)/sys/block/sdc/device") == 0)
        let drive = try await folder.perform("drive.health", ["drive": "sdc"])["drives"]?.asArray?.first
        #expect(drive?["verdict"] == "unknown")
        #expect(drive?["problems"]?.asArray?.last?.asString?.contains("-d cciss,N /dev/sdc") == true)
        #expect(try await folder.perform("drive.list")["drives"]?.asArray?.first?["raid"] == nil)
    }

    @Test func `the drives behind a controller are named where smartctl finds them`() async throws {
        let script = """
            case "$*" in
            "--scan --json") echo '{"devices":[{"name":"/dev/sda","type":"scsi"},{"name":"/dev/bus/3","type":"megaraid,8"},
                {"name":"/dev/bus/3","type":"sat+megaraid,9"},{"name":"/dev/bus/4","type":"megaraid,1"},{"name":"x","type":"test"}]}' ;;
            *) echo '{"smartctl":{"exit_status":4}}'; exit 4 ;;
            esac
            """
        let folder = try ToolFolder(
            ["smartctl": script],
            files: [
                "/proc/sys/kernel/osrelease": "6.1.0-28-amd64\n", "/sys/block/sdc/size": "8\n",
                "/sys/block/sdd/size": "8\n", "/sys/devices/3:2:0:0/vendor": "AVAGO\n",
                "/sys/devices/3:2:0:0/model": "MR9361-8i\n", "/sys/block/sdd/device/vendor": "MegaRAID\n",
            ])
        try #require(symlink("../../devices/3:2:0:0", "\(folder.root.path)/sys/block/sdc/device") == 0)
        let drives = try await folder.perform("drive.health")["drives"]?.asArray
        #expect(drives?.first?["members"] == ["megaraid,8", "sat+megaraid,9"])
        #expect(drives?.last?["members"]?.asArray?.count == 3, "without the number of its host, all that there are")
    }
}
