import DriverKit
import Glibc
import Logging
import Processes
import ProxmoxDriver
import Recipes
import Synchronization
import TestSupport
import WireProtocol

/// A container of an emulated node whose files are a real Debian's, and whose network is its own.
final class RealGuest: Sendable {
    let folder: ScratchFolder
    let driver: ProxmoxDriver
    let address: String
    /// Serves the archive of WordPress to the guest.
    let archive: String
    let checksum: String
    private let node: String
    private let server = Mutex<BackgroundProgram?>(nil)

    init(_ suite: String) async throws {
        try await RealParts.makeTree(suite)
        folder = try ScratchFolder("real")
        try folder.write(Array(#"{"pace": 0.01, "network": true}"#.utf8), to: "emulator.json")
        try await Self.succeed(Checkout.emulator("proxmox/node"), [folder.path])
        try await Self.succeed(
            "ln",
            ["-s", "\(RealParts.trees)/\(suite).tar", folder.file("var/lib/vz/template/cache/debian-12-tree.tar.zst")])
        // As the package lays them down, whoever owns this checkout.
        try await Self.succeed(
            "cp", ["-r", "--no-preserve=all", "\(Checkout.root)/packaging/recipes", folder.file("recipes")])
        try await Self.succeed("chmod", ["-R", "go-w", folder.file("recipes")])
        guard
            let driver = await ProxmoxDriver.detect(
                root: folder.path, recipes: RecipeShelf(folders: [folder.file("recipes")]))
        else { throw SetupFailure("the emulated node is not found") }
        self.driver = driver
        let (third, port) = (Int.random(in: 0...255), Int.random(in: 20_000...30_000))
        (node, address) = ("198.19.\(third).1", "198.19.\(third).10")
        archive = "http://\(node):\(port)/wordpress-\(suite).tar.gz"
        let sum = try await Child.run(
            ProcessRequest("sha256sum", ["\(RealParts.trees)/wordpress-\(suite).tar.gz"], deadline: .seconds(60)))
        checksum = String(sum.outputText.prefix(64))
        try await perform(
            "container.create",
            [
                "template": "local:vztmpl/debian-12-tree.tar.zst", "rootfs": ["storage": "local", "size_gib": 20],
                "hostname": "shop", "owner": "svc_1", "start": true,
                "networks": [
                    ["bridge": "vmbr0", "ip": .string("\(address)/24"), "gateway": .string(node)]
                ],
            ])
        let served = try BackgroundProgram(
            "python3",
            ["-m", "http.server", "--bind", node, "--directory", RealParts.trees, "\(port)"], log: folder.file("served")
        )
        server.withLock { $0 = served }
    }

    func end() async {
        await server.withLock { $0 }?.stop()
        _ = try? await perform("container.stop")
    }

    @discardableResult
    func perform(
        _ action: String, _ arguments: JSONObject = [:], secrets: JSONObject = [:],
        progress: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(DriverError) -> ActionOutcome {
        var all: JSONObject = ["vmid": 101]
        for member in arguments.members { all[member.key] = member.value }
        let context = ActionContext(
            commandID: "cmd_1", logger: Logger(label: "test"), progress: { text, _ in progress(text) })
        let call = ActionCall(action: action, resource: "proxmox/ct/101", arguments: all, secrets: secrets)
        return try await driver.perform(call, context)
    }

    /// What a shell in the guest says.
    func shell(_ script: String) async throws -> String {
        let said = try await Child.run(
            ProcessRequest(
                folder.file("usr/sbin/pct"), ["exec", "101", "--keep-env", "0", "--", "sh", "-c", script],
                deadline: .seconds(120)))
        guard said.exit == .code(0) else { throw SetupFailure("\(script): \(said.errorText)") }
        return said.outputText
    }

    func pct(_ words: String...) async throws {
        _ = try await Child.run(ProcessRequest(folder.file("usr/sbin/pct"), words, deadline: .seconds(120)))
    }

    /// Kills the way into the guest, as the death of an agent and of its node's tools does. What runs inside goes on.
    func killWayIn() {
        guard let processes = opendir("/proc") else { return }
        defer { closedir(processes) }
        while let entry = readdir(processes) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let pid = pid_t(name), let file = fopen("/proc/\(pid)/cmdline", "r") else { continue }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let words = bytes.prefix(fread(&bytes, 1, bytes.count, file)).split(separator: 0)
                .map { String(decoding: $0, as: UTF8.self) }
            if words.contains(folder.file("usr/sbin/pct")), words.contains("exec"), words.contains("innkeeper-recipe") {
                kill(pid, SIGKILL)
            }
        }
    }

    /// An answer of the guest's web server, as the node gets it: status, a blank, where it leads, and the page.
    func get(_ path: String, host: String = "shop.example.org", _ more: [String] = []) async throws -> String {
        let words = ["-s", "-m", "60", "-w", "\n%{http_code} %{redirect_url}", "-H", "Host: \(host)"] + more
        let answer = try await Child.run(
            ProcessRequest("curl", words + ["http://\(address)\(path)"], deadline: .seconds(90)))
        return answer.outputText
    }

    static func succeed(_ program: String, _ words: [String]) async throws {
        let outcome = try await Child.run(ProcessRequest(program, words, deadline: .seconds(120)))
        guard outcome.succeeded else { throw SetupFailure("\(program) \(words): \(outcome.errorText)") }
    }
}
