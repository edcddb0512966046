import DockerDriver
import DriverKit
import TestSupport
import Testing

@Suite struct PageTests {
    @Test func `the driver's page names every operation`() throws {
        #expect(try undocumented(Workbench.driver("/nonexistent").operations, page: "docker") == [])
    }
}
