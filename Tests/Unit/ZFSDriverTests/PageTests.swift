import DriverKit
import TestSupport
import Testing
import ZFSDriver

@Suite struct PageTests {
    @Test func `the page names every operation, and each is there once`() throws {
        let tools = ZFSTools(zfs: ["/no/zfs"], zpool: ["/no/zpool"])
        let operations = ZFSDriver(tools: tools, version: "test").actions
        #expect(try undocumented(operations, page: "zfs") == [])
        #expect(try tellsArguments(operations, page: "zfs"))
        #expect(Set(operations.map(\.name)).count == operations.count)
    }
}
