import DockerDriver
import DriverKit
import TestSupport
import Testing

@Suite struct PageTests {
    @Test func `the driver's page names every operation`() throws {
        #expect(try undocumented(Workbench.driver("/nonexistent").actions, page: "docker") == [])
        #expect(try tellsArguments(Workbench.driver("/nonexistent").actions, page: "docker"))
    }

    @Test func `the driver's page names what it needs, and an engine that is away is missed`() async throws {
        #expect(try undocumented(await DockerDriver().needs(), page: "docker") == [])
        let needs = await DockerDriver(socket: "/nonexistent", rights: NodeRights(mountRoots: ["/nonexistent"])).needs()
        #expect(needs.filter { $0.problem != nil && $0.isVital }.map(\.what) == ["/nonexistent"])
        #expect(needs.last?.problem?.hasPrefix("/nonexistent cannot be read") == true)
    }
}
