package import Testing

/// Starts one site for a suite with all that it contains, and takes it down afterwards, whatever the tests did.
package struct SiteTrait: SuiteTrait, TestScoping {
    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let site = try await Site.start()
        do {
            try await Site.$running.withValue(site) { try await function() }
        } catch {
            await site.stop()
            throw error
        }
        await site.stop()
    }
}

extension Trait where Self == SiteTrait {
    package static var site: Self { Self() }
}
