import Testing

/// Who may import what, and why.
@Suite struct ImportTests {
    /// One owner for each technology: it can be exchanged, and looked through, in one place.
    struct Owner: CustomTestStringConvertible, Sendable {
        var module: String
        var folders: [String]
        var reason: String
        var testDescription: String { module }
    }

    static let owners = [
        Owner(module: "CLibSSL", folders: ["Sources/Transport/"], reason: "certificates and secrets have one reader"),
        Owner(module: "CLibCurl", folders: ["Sources/HTTPFetch/"], reason: "every outgoing call has the same limits"),
        Owner(module: "CLibSQLite", folders: ["Sources/SQLite/"], reason: "one layer knows how the engine fails"),
        Owner(
            module: "CLibResolv", folders: ["controller/Integrations/Resolver/"],
            reason: "answers of strangers are read in one place, bounded"),
        Owner(module: "CLibYAML", folders: ["Sources/YAML/"], reason: "one reading of a file, bounded"),
        Owner(module: "Subprocess", folders: ["Sources/Processes/"], reason: "no child without a limit and an end"),
        Owner(
            module: "Hummingbird", folders: ["controller/HTTP/"],
            reason: "the HTTP server can be exchanged, and its limits are set in one place"),
        Owner(
            module: "ArgumentParser", folders: ["Sources/innctl/", "controller/Daemon/"],
            reason: "only programs have a command line"),
        Owner(
            module: "SQL",
            folders: ["Sources/SQLite/", "controller/Store/", "agent/Core/", "agent/Drivers/CloudPanel/"],
            reason: "all SQL of the controller lies in the store; the agent has its journal and reads the panel's file"),
        Owner(
            module: "SQLite", folders: ["controller/Store/File/", "agent/Core/", "agent/Drivers/CloudPanel/"],
            reason: "the store runs over any database, and only a few files of it know that theirs is a file"),
        Owner(
            module: "Store",
            folders: [
                "controller/Store/", "controller/Core/", "controller/Sessions/", "controller/Engine/",
                "controller/Products/", "controller/Daemon/",
            ],
            reason:
                "a front that reads the store could forget whom it answers: Core's Queries filter for the viewer, and Core records changes with their audit row"
        ),
    ]

    @Test(arguments: owners) func `a technology has one owner`(_ owner: Owner) {
        let importers = House.importers(below: House.shipped)[owner.module] ?? []
        #expect(!importers.isEmpty, "nobody imports \(owner.module): the rule is about nothing")
        for file in importers {
            #expect(
                owner.folders.contains { file.hasPrefix($0) }, "\(file) imports \(owner.module), but \(owner.reason)")
        }
    }

    /// An agent that linked the controller would carry its weight to every node, and the contract would no longer be the
    /// wire.
    @Test func `agent and controller never import each other`() {
        let manifest = Manifest.current
        let agent = Set(manifest.targets.filter { $0.path.hasPrefix("agent/") }.map(\.name))
        let controller = Set(manifest.targets.filter { $0.path.hasPrefix("controller/") }.map(\.name))
        #expect(!agent.isEmpty && !controller.isEmpty)
        for (folder, others) in [("agent", controller), ("controller", agent), ("Sources", agent.union(controller))] {
            for file in House.files(below: folder, ending: ".swift") {
                #expect(House.imports(of: file).isDisjoint(with: others), "\(file)")
            }
        }
    }

    /// Foundation costs the agent some 30 MB on every node of the fleet, and the command line its quick start.
    @Test(arguments: House.shipped) func `nothing that is shipped imports Foundation`(_ folder: String) {
        for file in House.files(below: folder, ending: ".swift") {
            let heavy = House.imports(of: file).filter { $0.hasPrefix("Foundation") }
            #expect(heavy.isEmpty, "\(file)")
        }
    }

    /// What decides must give the same answer for the same past: it has no clock, no chance, no file and no socket.
    @Test(arguments: ["Saga", "Placement", "Metering"]) func `what decides is pure`(_ part: String) {
        let files = House.files(below: "controller/\(part)", ending: ".swift")
        #expect(!files.isEmpty)
        for file in files {
            let allowed: Set = ["Model", "WireProtocol"]
            #expect(House.imports(of: file).isSubset(of: allowed), "\(file) imports \(House.imports(of: file))")
            for word in ["Timestamp.now", "Clock.now", ".random(", "SystemRandomNumberGenerator"] {
                #expect(!House.text(file).contains(word), "\(file) asks \(word)")
            }
        }
    }
}
