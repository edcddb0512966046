import DriverKit
import Glibc
import Logging
import Processes
import Recipes
import TestSupport
import WireProtocol

@testable import ProxmoxDriver

/// An emulated Proxmox VE node in a folder of its own, and the driver on it.
final class EmulatedNode: Sendable {
    let folder: ScratchFolder
    let driver: ProxmoxDriver
    static let template = "local:vztmpl/debian-12-standard_12.0_amd64.tar.zst"

    /// - Parameter patience: of the driver, with commands that only look and with the HA manager.
    /// - Parameter files: further files of the node, by their paths; those below `recipes` are its recipes.
    init(
        _ settings: JSONObject = [:], patience: Duration = .seconds(60), allowsPrivileged: Bool = false,
        files: [String: String] = [:]
    ) async throws {
        folder = try ScratchFolder("pve")
        for (path, text) in files { try Self.write(text, to: path, in: folder) }
        try Self.write(settings, in: folder)
        let script = Checkout.emulator("proxmox/node")
        let made = try await Child.run(ProcessRequest(String(script), [folder.path]))
        guard made.succeeded else { throw SetupFailure("no emulated node: \(made.errorText)") }
        guard
            let driver = await ProxmoxDriver.detect(
                root: folder.path, patience: patience, allowsPrivileged: allowsPrivileged,
                recipes: RecipeShelf(folders: [folder.file("recipes")]))
        else {
            throw SetupFailure("the emulated node is not found")
        }
        self.driver = driver
    }

    deinit {
        // Tools that a test has left waiting at a gate.
        for name in FileText.names(in: folder.file("proc")) ?? [] {
            guard let pid = pid_t(name), let line = FileText.read("/proc/\(pid)/cmdline"), line.contains(folder.path)
            else { continue }
            kill(pid, SIGKILL)
        }
        // The containers' first processes.
        for vmid in 100..<120 {
            guard let text = text("run/pve/\(vmid).json"), let pid = try? JSONObject(parsing: text)["pid"]
            else { continue }
            if let pid = pid.asInteger, pid > 1 { kill(pid_t(pid), SIGKILL) }
        }
    }

    /// Changes how the node behaves from now on.
    func set(_ settings: JSONObject) throws {
        try Self.write(settings, in: folder)
        let mode: mode_t = settings["quorum"] == false ? 0o555 : 0o755
        guard chmod(folder.file("etc/pve/nodes/pvelab"), mode) == 0 else { throw SetupFailure("no quorum is set") }
    }

    private static func write(_ settings: JSONObject, in folder: ScratchFolder) throws {
        var all: JSONObject = ["pace": 0.01]
        for member in settings.members { all[member.key] = member.value }
        try folder.write(JSONValue.object(all).encoded, to: "emulator.json")
    }

    @discardableResult
    func perform(
        _ operation: String, on vmid: Int = 101, _ arguments: JSONObject = [:], command: String = "cmd_1",
        context: ActionContext? = nil
    ) async throws(DriverError) -> ActionOutcome {
        var all: JSONObject = ["vmid": .integer(Int64(vmid))]
        for member in arguments.members { all[member.key] = member.value }
        let call = ActionCall(action: operation, resource: "proxmox/ct/\(vmid)", arguments: all)
        return try await driver.perform(call, context ?? Self.context(command))
    }

    /// Something that is not about one container.
    func outcome(
        _ operation: String, _ arguments: JSONObject = [:], on resource: String = "proxmox/node"
    ) async throws(DriverError) -> ActionOutcome {
        let call = ActionCall(action: operation, resource: resource, arguments: arguments)
        return try await driver.perform(call, Self.context())
    }

    @discardableResult
    func ask(
        _ operation: String, _ arguments: JSONObject = [:], on resource: String = "proxmox/node"
    ) async throws(DriverError) -> JSONObject {
        try await outcome(operation, arguments, on: resource).observed
    }

    static func context(_ command: String = "cmd_1") -> ActionContext {
        ActionContext(commandID: command, logger: Logger(label: "test"))
    }

    static func wish(_ more: JSONObject = [:]) -> JSONObject {
        var wish: JSONObject = [
            "template": .string(template), "rootfs": ["storage": "local", "size_gib": 1], "hostname": "web1",
            "memory_mib": 512, "cores": 1, "owner": "svc_1",
        ]
        for member in more.members { wish[member.key] = member.value }
        return wish
    }

    @discardableResult
    func create(
        _ vmid: Int = 101, _ more: JSONObject = [:], command: String = "cmd_1"
    ) async throws(DriverError) -> ActionOutcome {
        try await perform("container.create", on: vmid, Self.wish(more), command: command)
    }

    /// A file of the node; nil when there is none.
    func text(_ path: String) -> String? { (try? folder.read(path)).map { String(decoding: $0, as: UTF8.self) } }

    func configuration(_ vmid: Int = 101) -> String? { text("etc/pve/nodes/pvelab/lxc/\(vmid).conf") }

    /// Writes a file of the node, in folders that are made where they are not there.
    func write(_ text: String, to path: String) throws { try Self.write(text, to: path, in: folder) }

    private static func write(_ text: String, to path: String, in folder: ScratchFolder) throws {
        var place = folder.path
        for part in path.split(separator: "/").dropLast() {
            place += "/\(part)"
            mkdir(place, 0o755)
        }
        try folder.write(Array(text.utf8), to: path)
    }

    /// The storages that every emulated node has, and more.
    static func storages(_ more: JSONObject) -> JSONObject {
        var all: JSONObject = [
            "local": [
                "type": "dir", "path": "/var/lib/vz", "size": .integer(40 << 30),
                "content": "vztmpl,rootdir,backup,iso",
            ]
        ]
        for member in more.members { all[member.key] = member.value }
        return ["storages": .object(all)]
    }

    /// Makes this very process a task of the node that works for as long as it lives.
    /// - Parameter birth: when the process is said to have begun; as it did where none is given.
    func isAtWork(_ kind: String, on subject: String, since birth: String? = nil) throws {
        let (pid, stat) = (getpid(), FileText.read("/proc/self/stat") ?? "")
        let began = stat.split(separator: ")").last?.split(separator: " ")[19] ?? ""
        func hexadecimal(_ number: some BinaryInteger) -> String { String(number, radix: 16, uppercase: true) }
        let name =
            "UPID:pvelab:\(hexadecimal(pid)):\(birth ?? hexadecimal(UInt64(began) ?? 0)):00000001:\(kind):\(subject):root@pam:"
        try write("task \(name)\0", to: "proc/\(pid)/cmdline")
        symlink("/proc/\(pid)/stat", folder.file("proc/\(pid)/stat"))
        try write("\(name) 0\n", to: "var/log/pve/tasks/active")
    }

    /// Kills whatever the node's tools still do, as a crash would.
    func killTools() {
        for name in FileText.names(in: folder.file("proc")) ?? [] {
            if let pid = pid_t(name), pid != getpid() { kill(pid, SIGKILL) }
        }
    }

    /// Lets work that waits at a gate of the emulator go on.
    func open(gate: String) throws { try write("", to: "emulator/gates/\(gate)") }

    /// Runs one of the node's tools as somebody else would.
    @discardableResult
    func pct(_ words: String...) async throws -> ProcessOutcome {
        try await Child.run(ProcessRequest(folder.file("usr/sbin/pct"), words))
    }
}
