import DriverKit
import Glibc
import Processes
import ProxmoxDriver
import SimulatedFleet

/// What it costs to know how the containers of a Proxmox VE node are: from files, and from its tool. The tool here is the
/// emulated one, which starts some twenty times faster than the real one (0.7 s of a processor for each start).
struct GuestBench {
    var guests = 50

    func run() async throws {
        let folder = try temporaryFolder("bench")
        defer { remove(folder) }
        let script = "\(#filePath.dropLast("Bench/GuestBench.swift".count))Emulators/proxmox/node"
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
        let files = try await milliseconds { _ = try await driver.inventory() }
        let list = try await milliseconds { try await pct(folder, ["list"]) }
        let each = try await milliseconds {
            for vmid in 101...100 + guests { try await pct(folder, ["status", "\(vmid)", "--verbose", "1"]) }
        }
        report(
            "guests.look",
            [("guests", Double(guests)), ("files_ms", files), ("tool_once_ms", list), ("tool_for_each_ms", each)])
    }

    private func pct(_ folder: String, _ words: [String]) async throws {
        guard try await Child.run(ProcessRequest("\(folder)/usr/sbin/pct", words)).succeeded else {
            throw FleetFailure("the emulated pct fails")
        }
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
