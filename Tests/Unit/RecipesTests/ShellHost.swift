import DriverKit
import Glibc
import Logging
import Processes
import Recipes
import Synchronization
import TestSupport
import WireProtocol

/// A driver whose one guest is this machine: the shell runs here, as it would in a container, with locks of its own.
final class ShellHost: RecipeHost {
    static let name = "shell"
    let version = "1"
    let concurrency = 1
    let recipes: RecipeShelf
    /// The system that this machine is.
    let system: String
    private let told = Mutex<[(String, Double?)]>([])
    private let entries = Mutex(0)

    var actions: [ActionSpec] { Self.table.map(\.spec) }
    var progress: [(String, Double?)] { told.withLock { $0 } }
    /// How often the guest was entered.
    var entered: Int { entries.withLock { $0 } }

    init(_ shelf: RecipeShelf) async throws {
        recipes = shelf
        let script = ". /etc/os-release 2>/dev/null; printf %s \"${ID:-unknown}-${VERSION_ID:-unknown}\""
        system = try await Child.run(ProcessRequest("/bin/sh", ["-c", script])).outputText
    }

    private static let table: [Action<ShellHost>] = ShellHost.recipeActions.taking(
        ShellHost.recipeArguments(.text("name", "which guest")), secrets: ShellHost.recipeSecrets)

    func inventory() async throws(DriverError) -> [InventoryItem] { [] }

    func perform(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        try await Self.table.perform(call, on: self, context)
    }

    func enter(
        _ call: ActionCall, _ command: [String], _ context: ActionContext
    ) async throws(DriverError) -> Int64 {
        entries.withLock { $0 += 1 }
        let apart = ["-m", "/bin/sh", "-c", "mount -t tmpfs none /run/lock; exec \"$@\"", "sh"]
        var request = ProcessRequest("unshare", apart + command, grace: .milliseconds(200))
        request.standardInput = .stream(context.input)
        do {
            let outcome = try await Child.run(request) { stream, bytes throws(CancellationError) in
                try await context.output(stream == .stdout ? .stdout : .stderr, bytes)
            }
            guard outcome.ended == .itself else { throw DriverError(.cancelled, "stopped") }
            if case .code(let code) = outcome.exit { return Int64(code) }
            return 137
        } catch let error as DriverError {
            throw error
        } catch { throw DriverError(.failed, "no shell: \(error)") }
    }

    @discardableResult
    func run(
        _ parameters: JSONObject, secrets: JSONObject = [:], _ more: JSONObject = [:], action: String = "recipe.run"
    ) async throws(DriverError) -> ActionOutcome {
        var arguments: JSONObject = ["name": "here", "recipe": "thing", "parameters": .object(parameters)]
        for member in more.members { arguments[member.key] = member.value }
        let context = ActionContext(
            commandID: "cmd_1", logger: Logger(label: "test"),
            progress: { message, fraction in self.told.withLock { $0.append((message, fraction)) } })
        let call = ActionCall(
            action: action, resource: "shell/here", arguments: arguments,
            secrets: secrets.isEmpty ? [:] : ["parameters": .object(secrets)])
        return try await perform(call, context)
    }
}

/// A recipe on a machine that it is for, and a folder for what it makes.
struct Bench {
    let shelf: Shelf
    let host: ShellHost
    let made: String

    init(
        _ install: String, check: String? = nil, _ description: JSONObject = [:], files: [String: String] = [:]
    ) async throws {
        shelf = try Shelf()
        host = try await ShellHost(shelf.shelf)
        made = shelf.folder.file("made")
        var all = Shelf.description(["systems": [.string(host.system)]])
        for member in description.members { all[member.key] = member.value }
        var files = files
        files["install.sh"] = install
        files["check.sh"] = check ?? Shelf.check
        try shelf.lay("thing", all, files: files)
    }

    func run(_ more: JSONObject = [:], secrets: JSONObject = [:]) async throws(DriverError) -> ActionOutcome {
        var parameters: JSONObject = ["file": .string(made)]
        for member in more.members { parameters[member.key] = member.value }
        return try await host.run(parameters, secrets: secrets)
    }

    var isMade: Bool { access(made, F_OK) == 0 }
    var text: String { (try? shelf.folder.read("made")).map { String(decoding: $0, as: UTF8.self) } ?? "" }
}
