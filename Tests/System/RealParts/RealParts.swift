import Glibc
import Processes
import TestSupport

/// Long tests with the real parts of a Debian system run when they are asked for (`make real`).
enum RealParts {
    /// INNKEEPER_REAL is set and not empty.
    static let isOn = variable("INNKEEPER_REAL") != nil

    /// The suites of Debian that are tried, `INNKEEPER_REAL_SUITES`.
    static let suites =
        variable("INNKEEPER_REAL_SUITES")?.split(separator: " ").map(String.init) ?? ["bookworm"]

    /// Where trees are kept from one time to the next, outside of the checkout: `INNKEEPER_TREES`, or in the user's cache.
    static let trees = variable("INNKEEPER_TREES") ?? "\(variable("HOME") ?? "/var/tmp")/.cache/innkeeper/trees"

    /// Makes a tree where it is not there, and says how long that took.
    /// - Parameter script: of `Tests/Support/Trees`.
    static func makeTree(_ suite: String, by script: String = "tree") async throws {
        let script = "\(Checkout.root)/Tests/Support/Trees/\(script)"
        let made = try await Child.run(ProcessRequest(script, [trees, suite], deadline: .seconds(3600)))
        guard made.succeeded else { throw SetupFailure("no tree of \(suite): \(made.errorText)") }
        print(made.outputText, terminator: "")
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
