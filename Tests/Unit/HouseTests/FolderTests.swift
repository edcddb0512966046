import Testing

/// Folders that are alike have the same files, so that whoever knows one finds the way in all.
@Suite struct FolderTests {
    static let drivers = House.names(in: "agent/Drivers")

    @Test(arguments: drivers) func `a driver's folder has the files of all drivers`(_ name: String) {
        let files = House.names(in: "agent/Drivers/\(name)")
        #expect(files.contains("\(name)Driver.swift"), "the type, and its table of actions")
        #expect(files.contains("\(name)Driver+Arguments.swift"), "what each action takes")
        #expect(files.contains { $0.hasPrefix("Commands") }, "what each action does")
        #expect(files.contains("Observation.swift"), "what it sees and counts")
    }

    @Test(arguments: drivers) func `a driver has its page and its tests`(_ name: String) {
        #expect(House.exists("docs/drivers/\(name.lowercased()).md"))
        let tests = House.files(below: "Tests", ending: ".swift").filter { $0.contains("/\(name)DriverTests/") }
        #expect(!tests.isEmpty)
    }

    static let integrations = House.names(in: "controller/Integrations").filter { $0 != "IntegrationKit" }

    @Test(arguments: integrations) func `an integration's folder has the files of all integrations`(_ name: String) {
        let files = House.names(in: "controller/Integrations/\(name)")
        #expect(files.contains("\(name).swift"), "the kind: its settings, their schema, and how it is connected")
        #expect(files.contains { $0.hasSuffix("+Checks.swift") }, "what a test looks at")
        #expect(House.exists("docs/integrations/\(name.lowercased()).md"))
    }

    @Test func `every decision is one page with a number of its own`() {
        let pages = House.names(in: "docs/decisions")
        let numbers = pages.map { $0.prefix(4) }
        #expect(numbers == (1...pages.count).map { ("000" + String($0)).suffix(4) }, "none twice, none missing")
        for page in pages {
            let text = House.text("docs/decisions/\(page)")
            #expect(text.hasPrefix("# "), "\(page) has no title")
            #expect(text.utf8.count < 12_000, "\(page) is more than a page")
        }
    }

    @Test func `the page on the architecture names every target that is shipped`() {
        let page = House.text("docs/architecture.md")
        for target in Manifest.current.targets where !target.path.hasPrefix("Tests/") {
            #expect(page.contains("`\(target.name)`"), "\(target.name) is not in docs/architecture.md")
        }
    }

    @Test func `tests have five rooms, so that what they cost and need is seen from where they lie`() {
        #expect(House.names(in: "Tests") == ["Reliability", "Support", "System", "Tools", "Unit"])
    }

    @Test func `every target of the manifest lies where it says`() {
        let targets = Manifest.current.targets
        #expect(targets.count > 30)
        for target in targets {
            let files = House.files(below: target.path, ending: ".swift")
            #expect(!files.isEmpty, "\(target.name) has no file in \(target.path)")
        }
    }
}
