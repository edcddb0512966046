import DriverKit
import HostDriver
import Logging
import Testing
import WireProtocol

@Suite struct ContainerTests {
    let id = String(repeating: "a1b2", count: 16)
    let context = ActionContext(commandID: "test", logger: Logger(label: "test"))

    func sample(_ driver: HostDriver) async -> [String: Double?] {
        var batch = SampleBatch()
        batch.restart()
        await driver.sample(into: &batch)
        batch.finish()
        #expect(Set(batch.names).count == batch.names.count, "each series once")
        return Dictionary(uniqueKeysWithValues: zip(batch.names, batch.values))
    }

    @Test(arguments: ["/docker/ID", "/system.slice/docker-ID.scope", "/lxc/101", "/lxc.payload.web"])
    func `version 1 figures are found for each way of naming groups`(_ pattern: String) async throws {
        let root = try FakeRoot()
        let group = pattern.replacing("ID", with: id)
        try root.addVersion1(group, cpuNanoseconds: 12_345_678_000, memory: 5000, inactive: 1000, processes: 3)
        let values = await sample(HostDriver(root: root.path))
        let name = pattern.contains("ID") ? "a1b2a1b2a1b2" : pattern.hasSuffix("101") ? "101" : "web"
        #expect(values["container/\(name).cpu.seconds"] == 12.345678)
        #expect(values["container/\(name).memory.used"] == 4000)
        #expect(values["container/\(name).processes"] == 3)
        #expect(values["container/\(name).io.read"] == 1001)
        #expect(values["container/\(name).io.written"] == 2002)
        #expect(values["container/\(name).network.sent"] == .some(nil))
    }

    @Test(arguments: ["/docker/ID", "/system.slice/docker-ID.scope", "/lxc/101", "/lxc.payload.web"])
    func `version 2 figures are found for each way of naming groups`(_ pattern: String) async throws {
        let root = try FakeRoot(["/sys/fs/cgroup/cgroup.controllers": "cpu io memory pids\n"])
        let group = pattern.replacing("ID", with: id)
        try root.addVersion2(group, cpuMicroseconds: 2_500_000, memory: 5000, inactive: 6000, limit: "max")
        let values = await sample(HostDriver(root: root.path))
        let name = pattern.contains("ID") ? "a1b2a1b2a1b2" : pattern.hasSuffix("101") ? "101" : "web"
        #expect(values["container/\(name).cpu.seconds"] == 2.5)
        #expect(values["container/\(name).memory.used"] == 0, "the cache can be counted as more than what is in use")
        #expect(values["container/\(name).processes"] == 7)
        #expect(values["container/\(name).io.read"] == 1001)
        #expect(values["container/\(name).io.written"] == 2002)
    }

    @Test func `what only looks like a container is none`() async throws {
        let root = try FakeRoot()
        for group in [
            "/docker/buildkit", "/docker/\(id.dropLast())", "/docker/\(id.uppercased())",
            "/system.slice/docker.service",
            "/system.slice/docker-abc.scope", "/lxc.monitor.web", "/user.slice",
        ] {
            try root.addVersion1(group, cpuNanoseconds: 1, memory: 1, inactive: 0, processes: 1)
        }
        let values = await sample(HostDriver(root: root.path))
        #expect(!values.keys.contains { $0.hasPrefix("container/") })
    }

    @Test func `containers of another driver are left to it`() async throws {
        let root = try FakeRoot()
        try root.addVersion1("/docker/\(id)", cpuNanoseconds: 1, memory: 1, inactive: 0, processes: 1)
        try root.addVersion1("/lxc/101", cpuNanoseconds: 1, memory: 1, inactive: 0, processes: 1)
        let values = await sample(HostDriver(root: root.path, counting: [.lxc]))
        #expect(values.keys.contains("container/101.processes"))
        #expect(!values.keys.contains { $0.contains("a1b2") })
        let later = HostDriver(root: root.path)
        #expect(await sample(later).keys.contains("container/101.processes"))
        later.leave(.lxc)
        #expect(await !sample(later).keys.contains("container/101.processes"))
    }

    @Test func `containers come and go between samples, and their counters start a new epoch`() async throws {
        let root = try FakeRoot(["/proc/sys/kernel/random/boot_id": "b00t\n"])
        let driver = HostDriver(root: root.path)
        #expect(await driver.usage().isEmpty)
        try root.addVersion1("/lxc/101", cpuNanoseconds: 5_000_000, memory: 1, inactive: 0, processes: 1)
        let first = await driver.usage()
        #expect(first.map(\.subject) == ["lxc/101"])
        #expect(first.map(\.meter) == ["cpu_ms"])
        #expect(first.map(\.value) == [5])
        #expect(first.first?.epoch.hasPrefix("b00t/") == true)
        try root.write("9000000\n", to: "/sys/fs/cgroup/cpuacct/lxc/101/cpuacct.usage")
        let second = await driver.usage()
        #expect(second.map(\.value) == [9])
        #expect(second.first?.epoch == first.first?.epoch)

        root.move(folder: "/sys/fs/cgroup/memory/lxc/101", to: "/gone")
        #expect(await driver.usage().isEmpty)
        try root.addVersion1("/lxc/101", cpuNanoseconds: 1_000_000, memory: 1, inactive: 0, processes: 1)
        let third = await driver.usage()
        #expect(third.map(\.value) == [1])
        #expect(third.first?.epoch != first.first?.epoch)
    }

    @Test func `a list and an inventory show limits where there are some`() async throws {
        let root = try FakeRoot(["/sys/fs/cgroup/cgroup.controllers": "memory\n"])
        try root.addVersion2("/lxc/101", cpuMicroseconds: 5000, memory: 50, inactive: 0, limit: "1048576")
        try root.addVersion2("/lxc/102", cpuMicroseconds: 5000, memory: 50, inactive: 0, limit: "max")
        let driver = HostDriver(root: root.path)
        let call = ActionCall(action: "container.list", resource: "host")
        let list = try await driver.perform(call, context).observed["containers"]?.asArray
        #expect(list?.map { $0["memory_limit_bytes"] } == [1_048_576, nil])
        #expect(list?.map { $0["cpu_ms"] } == [5, 5])
        #expect(try await driver.inventory().map(\.resource) == ["lxc/101", "lxc/102", "host"])
    }

    @Test func `version 1 has no limit when it is the largest number`() async throws {
        let root = try FakeRoot()
        try root.addVersion1("/lxc/101", cpuNanoseconds: 1, memory: 1, inactive: 0, processes: 1)
        let item = try await HostDriver(root: root.path).inventory().first
        #expect(item?.state["memory_limit_bytes"] == nil)
        #expect(item?.state["memory_bytes"] == 1)
    }

    @Test func `a container that ends during a sample leaves gaps and no values of others`() async throws {
        let root = try FakeRoot()
        try root.addVersion1("/lxc/101", cpuNanoseconds: 1, memory: 1, inactive: 0, processes: 1)
        root.remove(folder: "/sys/fs/cgroup/cpuacct")
        try root.write("not a number\n", to: "/sys/fs/cgroup/pids/lxc/101/pids.current")
        let values = await sample(HostDriver(root: root.path))
        #expect(values["container/101.cpu.seconds"] == .some(nil))
        #expect(values["container/101.processes"] == .some(nil))
        #expect(values["container/101.memory.used"] == 1)
    }
}
