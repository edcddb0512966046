import DockerDriver
import DriverKit
import Recipes
import TestSupport
import Testing
import WireProtocol

/// Recipes in containers of the real engine. What a script may do, and how it can go wrong, is tried with `Recipes` alone.
@Suite struct RecipeTests {
    private static let order: JSONObject = ["recipe": "thing", "parameters": ["word": "it's"]]

    /// The driver with the recipe `thing`, and a container that runs.
    private static func running(_ owner: JSONObject) async throws -> (Workbench, String, ScratchFolder) {
        let folder = try ScratchFolder("recipes")
        let files = [
            "recipe.json": """
            {"version": "1.0", "summary": "x", "systems": ["test-1"], "returns": {"word": {"help": "x"}},
             "parameters": {"word": {"form": "text", "help": "x"}}}
            """,
            "install.sh": """
            progress 0.2 beginning
            if [ -e /tmp/wait ]; then : >/tmp/waits; sleep 600; fi
            printf '%s' "$param_word" >/tmp/made
            """, "check.sh": "[ -e /tmp/made ] || exit 1; give word \"$(cat /tmp/made)\"\n",
        ]
        try await BackgroundProgram.run("mkdir", [folder.file("thing")], log: folder.file("log"))
        for (file, text) in files { try folder.write(Array(text.utf8), to: "thing/\(file)") }
        let bench = try await Workbench(recipes: RecipeShelf(folders: [folder.path]))
        let name = Workbench.name("recipe")
        try await bench.ensure(name, owner)
        try await bench.perform(
            "container.exec",
            [
                "name": .string(name),
                "command": ["sh", "-c", "mkdir -p /etc /tmp; printf 'ID=test\\nVERSION_ID=1\\n' >/etc/os-release"],
            ])
        return (bench, name, folder)
    }

    private static func order(_ name: String, _ more: JSONObject = [:]) -> JSONObject {
        var order = Self.order
        order["name"] = .string(name)
        for member in more.members { order[member.key] = member.value }
        return order
    }

    @Test func `a recipe sets a container up, and is not run again when all is right`() async throws {
        let (bench, name, folder) = try await Self.running(["mark": ["service": "svc_1"]])
        defer { withExtendedLifetime(folder) {} }
        let record = Record()
        let made = try await bench.perform("recipe.run", Self.order(name), record)
        #expect(made.changed && made.observed["returned"] == ["word": "it's"] && record.progress == ["beginning"])
        #expect(try await !bench.perform("recipe.run", Self.order(name)).changed)
        let other = await #expect(throws: DriverError.self) {
            try await bench.perform("recipe.run", Self.order(name, ["mark": ["service": "svc_2"]]))
        }
        #expect(other?.code == .foreign)
        try await bench.remove(name)
        let gone = await #expect(throws: DriverError.self) { try await bench.perform("recipe.run", Self.order(name)) }
        #expect(gone?.code == .notFound)
    }

    @Test func `nothing is run in a container that is nobody's`() async throws {
        let (bench, mine, folder) = try await Self.running(["mark": ["service": "svc_1"]])
        try await bench.remove(mine)
        let name = Workbench.name("nobodys")
        try await bench.engine.createUnmanaged(name, image: Workbench.image)
        let error = await #expect(throws: DriverError.self) { try await bench.perform("recipe.run", Self.order(name)) }
        #expect(error?.code == .foreign && error?.changed == false && !folder.path.isEmpty)
        try await bench.remove(name)
    }

    @Test func `a container that is stopped in the middle leaves it unknown, and run again it is repaired`()
        async throws
    {
        let (bench, name, folder) = try await Self.running(["mark": ["service": "svc_1"]])
        defer { withExtendedLifetime(folder) {} }
        let shell: @Sendable (String) async throws -> Bool = { script in
            try await bench.perform(
                "container.exec", ["name": .string(name), "command": ["sh", "-c", .string(script)]]
            ).observed["exit_code"] == 0
        }
        #expect(try await shell("touch /tmp/wait"))
        let work = Task { try await bench.perform("recipe.run", Self.order(name)) }
        #expect(await eventually { (try? await shell("test -e /tmp/waits")) ?? false })
        try await bench.perform("container.stop", ["name": .string(name), "grace_s": 0])
        let error = await #expect(throws: DriverError.self) { try await work.value }
        #expect(error?.code == .unknownOutcome && error?.changed == true && error?.retryable == true)
        try await bench.perform("container.start", ["name": .string(name)])
        #expect(try await shell("rm /tmp/wait"))
        #expect(try await bench.perform("recipe.run", Self.order(name)).changed)
        try await bench.remove(name)
    }
}
