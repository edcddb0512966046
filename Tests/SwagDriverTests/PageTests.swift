import DriverKit
import SwagDriver
import TestSupport
import Testing

@Suite struct PageTests {
    @Test func `the driver's page names every operation`() throws {
        let driver = SwagDriver(.command([], folder: "/"))
        #expect(try undocumented(driver.operations, page: "swag") == [])
    }
}
