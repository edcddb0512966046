import TestSupport
import Testing

@testable import Store

/// A database under the store. The tests of what the store does run once over each of them; what only a file does is
/// tested in `File/`.
enum StoreEngine: CaseIterable {
    case sqlite

    /// The one that the running test uses.
    @TaskLocal static var current = StoreEngine.sqlite

    /// Opens the store of a fixture's folder, once more too.
    func open(_ folder: ScratchFolder, _ options: StoreOptions) throws -> Store {
        switch self {
        case .sqlite: try Store(path: folder.file("store.sqlite"), options: options)
        }
    }
}

/// Runs each test of a suite once over every engine.
struct EveryEngine: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        for engine in StoreEngine.allCases {
            try await StoreEngine.$current.withValue(engine) { try await function() }
        }
    }
}

extension Trait where Self == EveryEngine {
    static var onEveryEngine: Self { EveryEngine() }
}
