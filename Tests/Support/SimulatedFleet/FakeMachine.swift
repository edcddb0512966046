import Glibc
import Transport

/// A machine for the host driver of a real agent: the kernel's own `/proc` and a version 2 control group tree with
/// containers as Docker names them.
package struct FakeMachine: Sendable {
    private let containers: Int

    package init(containers: Int) { self.containers = containers }

    /// Makes the tree; the host driver's `host_root` is the folder.
    package func make(at root: String) throws {
        let tree = "\(root)/sys/fs/cgroup"
        try Program("/bin/mkdir", ["-p", "\(tree)/system.slice"]).wait()
        guard symlink("/proc", "\(root)/proc") == 0 else { throw FleetFailure("no link to /proc can be made") }
        try PEMFile.write("cpu io memory pids\n", to: "\(tree)/cgroup.controllers")
        for index in 0..<containers { try makeContainer(index, tree) }
    }

    private func makeContainer(_ index: Int, _ tree: String) throws {
        let digits = String(index, radix: 16)
        let id = String(repeating: "0", count: 12 - digits.count) + digits + String(repeating: "a", count: 52)
        let group = "\(tree)/system.slice/docker-\(id).scope"
        try Program("/bin/mkdir", [group]).wait()
        try PEMFile.write("usage_usec \(index)000\nuser_usec 1\nsystem_usec 2\n", to: "\(group)/cpu.stat")
        try PEMFile.write("\(index * 4096 + 1_000_000)\n", to: "\(group)/memory.current")
        try PEMFile.write("max\n", to: "\(group)/memory.max")
        try PEMFile.write("anon 1\nfile 2\nactive_file 9\ninactive_file 4096\n", to: "\(group)/memory.stat")
        try PEMFile.write("7\n", to: "\(group)/pids.current")
        try PEMFile.write("259:0 rbytes=1000 wbytes=2000 rios=1 wios=2 dbytes=0 dios=0\n", to: "\(group)/io.stat")
    }
}
