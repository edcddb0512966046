import DriverKit
import SwagDriver
import TestSupport
import Testing

@Suite struct PageTests {
    @Test func `the driver's page names every operation, and what it needs`() async throws {
        let driver = SwagDriver(.command([], folder: "/config"))
        #expect(try undocumented(driver.actions, page: "swag") == [])
        #expect(try tellsArguments(driver.actions, page: "swag"))
        #expect(try undocumented(await driver.needs(), page: "swag") == [])
    }
}
