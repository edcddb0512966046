import DriverKit
import Glibc
import HostDriver
import Logging
import Testing
import WireProtocol

@Suite struct MachineTests {
    static let files = [
        "/proc/stat": "cpu  100 20 30 800 40 5 5 0 0 0\ncpu0 1 2 3 4\nintr 5\n",
        "/proc/loadavg": "0.52 1.05 2.00 3/456 7890\n",
        "/proc/uptime": "12345.67 99999.00\n",
        "/proc/meminfo":
            "MemTotal:        2048 kB\nMemFree:          100 kB\nMemAvailable:     1024 kB\nBuffers: 1 kB\nSwapTotal:       512 kB\nSwapFree:        128 kB\n",
        "/proc/pressure/cpu": "some avg10=1.50 avg60=2.00 avg300=3.00 total=4\n",
        "/proc/pressure/io": "some avg10=0.25 avg60=0 avg300=0 total=1\nfull avg10=0.10 avg60=0 avg300=0 total=1\n",
        "/proc/diskstats":
            "   7       0 loop0 1 0 9 0 0 0 0 0 0 0 0\n 254       0 vda 257433 52629 1000 130253 166700 289713 2000 168774 0 59044 308007 36953 1 6985168 7096\n 254       1 vda1 1 1 1 1 1 1 1 1 1 1 1\n",
        "/sys/block/vda/size": "1\n",
        "/proc/net/dev":
            "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0:90239042    1681    1    2    0     0          0         0    72577     958    3    4    0     0       0          0\nveth12: 5 5 0 0 0 0 0 0 5 5 0 0 0 0 0 0\n",
        "/proc/sys/kernel/osrelease": "6.1.0-test\n", "/proc/sys/kernel/random/boot_id": "b00t\n",
    ]

    func sample(_ driver: HostDriver, into batch: inout SampleBatch) async -> [String: Double?] {
        batch.restart()
        await driver.sample(into: &batch)
        batch.finish()
        return Dictionary(zip(batch.names, batch.values)) { $1 }
    }

    @Test func `every figure of the machine is read`() async throws {
        let root = try FakeRoot(Self.files)
        let driver = HostDriver(root: root.path)
        #expect(driver.version == "6.1.0-test")
        var batch = SampleBatch()
        let values = await sample(driver, into: &batch)
        let expected: [String: Double] = [
            "host.load.1": 0.52, "host.load.5": 1.05, "host.load.15": 2, "host.processes": 456,
            "host.uptime": 12345.67, "host.memory.total": 2_097_152, "host.memory.used": 1_048_576,
            "host.swap.total": 524_288, "host.swap.used": 393_216, "host.pressure.cpu.some": 1.5,
            "host.pressure.io.some": 0.25, "host.pressure.io.full": 0.1, "host.disk.vda.read": 512_000,
            "host.disk.vda.written": 1_024_000, "host.disk.vda.busy": 59.044, "host.network.eth0.received": 90_239_042,
            "host.network.eth0.sent": 72_577, "host.network.eth0.troubles": 10,
        ]
        for (name, value) in expected { #expect(values[name] == value, "\(name)") }
        // Partitions, loops, cables of containers and what is not there are no series.
        let others = values.keys.filter { expected[$0] == nil && !$0.hasPrefix("host.cpu.") }
        #expect(others.isEmpty, "\(others)")
    }

    @Test func `shares of the processors are of the time between two samples`() async throws {
        let root = try FakeRoot(Self.files)
        let driver = HostDriver(root: root.path)
        var batch = SampleBatch()
        #expect(await sample(driver, into: &batch)["host.cpu.user"] == .some(nil), "one sample has no time between")
        let layout = batch.layout
        // 100 ticks more: 50 user, 25 system, 25 idle; iowait went back, as it does.
        try root.write("cpu  140 30 55 825 39 5 5 0 0 0\n", to: "/proc/stat")
        let values = await sample(driver, into: &batch)
        #expect(batch.layout == layout)
        let total = 99.0
        #expect(values["host.cpu.user"] == 100 * 50 / total)
        #expect(values["host.cpu.system"] == 100 * 25 / total)
        #expect(values["host.cpu.idle"] == 100 * 25 / total)
        #expect(values["host.cpu.iowait"] == 0)
        #expect(values["host.cpu.steal"] == 0)
    }

    @Test func `an empty machine gives nothing and does not trap`() async throws {
        let root = try FakeRoot()
        let driver = HostDriver(root: root.path)
        var batch = SampleBatch()
        #expect(await sample(driver, into: &batch).isEmpty)
        #expect(await driver.usage().isEmpty)
        #expect(try await driver.inventory().map(\.resource) == ["host"])
    }

    @Test func `files with anything in them never trap`() async throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var files = Self.files
            for name in files.keys where Bool.random() {
                var bytes = Array(files[name]!.utf8)
                for _ in 0..<Int.random(in: 1...20, using: &generator) {
                    let place = Int.random(in: 0..<bytes.count, using: &generator)
                    switch Int.random(in: 0...3, using: &generator) {
                    case 0: bytes[place] = UInt8.random(in: 0...127, using: &generator)
                    case 1: bytes.removeSubrange(place..<min(bytes.count, place + 9))
                    case 2: bytes.insert(contentsOf: Array("99999999999999999999".utf8), at: place)
                    default: bytes.insert(0x0A, at: place)
                    }
                    if bytes.isEmpty { bytes = [0x20] }
                }
                files[name] = String(decoding: bytes, as: UTF8.self)
            }
            let root = try FakeRoot(files)
            let driver = HostDriver(root: root.path)
            var batch = SampleBatch()
            _ = await sample(driver, into: &batch)
            _ = await sample(driver, into: &batch)
            let areFinite = batch.values.allSatisfy { ($0 ?? 0).isFinite }
            #expect(areFinite)
        }
    }

    @Test func `this machine is read`() async throws {
        let driver = HostDriver()
        var batch = SampleBatch()
        let values = await sample(driver, into: &batch)
        #expect((values["host.memory.total"] ?? nil) ?? 0 > 1_000_000)
        #expect((values["host.uptime"] ?? nil) ?? 0 > 1)
        #expect(values.keys.contains { $0.hasPrefix("host.network.") })
        var name = utsname()
        uname(&name)
        let release = withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        #expect(driver.version == release)
        let facts = await driver.facts()
        #expect(facts["processors"]?.asInteger ?? 0 >= 1)
        #expect(facts["disk_bytes"] != nil)
        let context = ActionContext(commandID: "test", logger: Logger(label: "test"))
        let call = ActionCall(action: "filesystem.list", resource: "host")
        let list = try await driver.perform(call, context).observed["filesystems"]?.asArray ?? []
        for filesystem in list { #expect(filesystem["total_bytes"]?.asInteger ?? 0 > 0) }
    }

    @Test func `an unexpected argument is refused`() async throws {
        let context = ActionContext(commandID: "test", logger: Logger(label: "test"))
        let driver = HostDriver()
        for spec in driver.actions {
            #expect(spec.kind == .observe)
            let call = ActionCall(action: spec.name, resource: "host", arguments: ["path": "/etc"])
            let error = await #expect(throws: DriverError.self) { try await driver.perform(call, context) }
            #expect(error?.code == .invalidArgument)
        }
    }
}
