import DriverKit
import Glibc
import Processes
import ProxmoxDriver
import SimulatedFleet
import TestSupport

/// What it costs to know how the containers of a Proxmox VE node are: from files, and from its tool. The tool here is the
/// emulated one, which starts some twenty times faster than the real one (0.7 s of a processor for each start).
struct GuestBench {
    var guests = 50

    func run() async throws {
        let folder = try temporaryFolder("bench")
        defer { remove(folder) }
        let script = Checkout.emulator("proxmox/node")
        try write("{\"pace\":0}", to: "\(folder)/emulator.json")
        guard try await Child.run(ProcessRequest(script, [folder])).succeeded else {
            throw FleetFailure("no emulated Proxmox VE node")
        }
        for vmid in 101...100 + guests {
            let text =
                "hostname: web\(vmid)\nmemory: 512\nnet0: name=eth0,bridge=vmbr0\nrootfs: local:\(vmid)/x.raw,size=8G\n"
            try write(text, to: "\(folder)/etc/pve/nodes/pvelab/lxc/\(vmid).conf")
        }
        guard let driver = await ProxmoxDriver.detect(root: folder) else { throw FleetFailure("no Proxmox VE node") }
        var seen = 0
        let files = try await milliseconds {
            for item in try await driver.inventory() where item.resource.contains("ct/") { seen += 1 }
        }
        try expect(seen, "the files")
        let list = try await milliseconds { seen = try await pct(folder, ["list"]).count { $0.contains("web") } }
        try expect(seen, "the list")
        seen = 0
        let each = try await milliseconds {
            for vmid in 101...100 + guests {
                let lines = try await pct(folder, ["status", "\(vmid)", "--verbose", "1"])
                if lines.contains("status: stopped"), lines.contains("vmid: \(vmid)") { seen += 1 }
            }
        }
        try expect(seen, "the states")
        report(
            "guests.look",
            [("guests", Double(guests)), ("files_ms", files), ("tool_once_ms", list), ("tool_for_each_ms", each)])
    }

    /// What was measured is a look at all of them.
    private func expect(_ seen: Int, _ way: String) throws {
        guard seen == guests else { throw FleetFailure("\(way) told of \(seen) of \(guests) containers") }
    }

    /// The lines that it prints.
    private func pct(_ folder: String, _ words: [String]) async throws -> [Substring] {
        let outcome = try await Child.run(ProcessRequest("\(folder)/usr/sbin/pct", words))
        guard outcome.succeeded else { throw FleetFailure("the emulated pct fails: \(outcome.errorText)") }
        return outcome.outputText.split(separator: "\n")
    }

    private func milliseconds(_ work: () async throws -> Void) async throws -> Double {
        let start = ContinuousClock.now
        try await work()
        return (ContinuousClock.now - start).seconds * 1000
    }

    private func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw FleetFailure("cannot write \(path)") }
        fputs(text, file)
        fclose(file)
    }
}
