import Processes
import Testing

/// What the built programs are made of.
@Suite struct ProgramTests {
    /// The libraries from the system that a program may ask for. A node gets their security fixes by its package manager;
    /// each further one is memory on every node and a dependency of the package.
    struct Program: CustomTestStringConvertible, Sendable {
        var name: String
        var libraries: [String]
        var testDescription: String { name }
    }

    static let programs = [
        Program(name: "innkeeper-agent", libraries: ["libssl", "libcrypto", "libsqlite3", "libcurl", "libyaml"]),
        // The reader of command lines and the HTTP server bring the small part of Foundation; all of it is 55 MB more.
        Program(name: "innctl", libraries: ["libssl", "libcrypto", "libcurl", "libFoundationEssentials"]),
        Program(
            name: "innkeeper-controller",
            libraries: ["libssl", "libcrypto", "libsqlite3", "libcurl", "libresolv", "libz", "libFoundationEssentials"]),
    ]

    /// The Swift runtime, shared in debug builds and static in those that are shipped, and the C library.
    private static let runtime = [
        "libc.", "libm.", "libgcc", "libstdc++", "ld-linux", "libswift", "libdispatch", "libBlocksRuntime",
    ]

    @Test(arguments: programs) func `a program links what its package names`(_ program: Program) async throws {
        let needed = try await Self.needed(by: program.name)
        #expect(!needed.isEmpty)
        for library in needed {
            let isNamed = (Self.runtime + program.libraries).contains { library.hasPrefix($0) }
            #expect(isNamed, "\(program.name) links \(library)")
        }
    }

    private static func needed(by program: String) async throws -> [String] {
        let outcome = try await Child.run(
            ProcessRequest("readelf", ["--dynamic", "--wide", "\(House.root)/.build/debug/\(program)"]))
        return String(decoding: outcome.stdout, as: UTF8.self).split(separator: "\n")
            .filter { $0.contains("(NEEDED)") }
            .compactMap { $0.split(separator: "[").last?.split(separator: "]").first.map(String.init) }
    }
}
