import DriverKit
import HostDriver
import Logging
import Testing
import WireProtocol

/// A kernel whose files hold anything. What cannot be read is absent; everything else is there.
@Suite struct HostileFilesTests {
    static let rubbish = [
        "nothing": "", "an empty line": "\n", "zeros": "\0\0\0", "a long number": String(repeating: "9", count: 400),
        "wild numbers": "cpu  -1 x 99999999999999999999999 \n", "only colons": "  :  :\n \n",
        "a flood": String(repeating: "a b c d e f g h i j k\n", count: 20_000),
        "wild text": "\u{FFFD}\u{10FFFF}: 1 2 3\n",
    ]

    @Test(arguments: Array(MachineTests.files.keys.sorted()), rubbish.keys.sorted())
    func `one file of rubbish spoils nothing but its own figures`(name: String, kind: String) async throws {
        var files = MachineTests.files
        files[name] = Self.rubbish[kind]
        let root = try FakeRoot(files)
        let driver = HostDriver(root: root.path)
        var batch = SampleBatch()
        for _ in 0..<2 {
            batch.restart()
            await driver.sample(into: &batch)
            batch.finish()
        }
        #expect(batch.values.allSatisfy { $0?.isFinite ?? true })
        let known = Set(batch.names)
        for (file, series) in Self.series where file != name {
            #expect(known.contains(series), "\(series) is missing")
        }
        #expect(try await driver.inventory().contains { $0.resource == "host" })
        _ = await driver.facts()
    }

    private static let series = [
        ("/proc/stat", "host.cpu.user"), ("/proc/loadavg", "host.load.1"), ("/proc/uptime", "host.uptime"),
        ("/proc/meminfo", "host.memory.used"), ("/proc/pressure/cpu", "host.pressure.cpu.some"),
    ]

    @Test func `a file that does not end and a folder in a file's place are left out`() async throws {
        var files = MachineTests.files
        files["/proc/meminfo"] = nil
        files["/proc/loadavg"] = String(repeating: "0.5 ", count: 2 << 20)
        let root = try FakeRoot(files)
        try root.write("x", to: "/proc/meminfo/x")
        var batch = SampleBatch()
        await HostDriver(root: root.path).sample(into: &batch)
        #expect(batch.names.contains("host.uptime"))
        #expect(!batch.names.contains("host.memory.used") && !batch.names.contains("host.load.1"))
    }
}
