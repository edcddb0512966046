import DriverKit
import Glibc
import Logging
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

/// Recipes in emulated containers. What a script may do, and how it can go wrong, is tried with `Recipes` alone.
@Suite struct RecipeTests {
    private static let install = """
        progress 0.2 beginning
        if [ -e /root/wait ]; then : >/root/waits; sleep 600; fi
        printf '%s' "$param_word" >/root/made
        """

    /// A node with the recipe `thing`, and a running container 101 of svc_1.
    private static func running(_ more: JSONObject = ["owner": "svc_1"]) async throws -> EmulatedNode {
        let node = try await EmulatedNode(
            files: [
                "recipes/thing/recipe.json": """
                {"version": "1.0", "summary": "x", "systems": ["test-1"], "returns": {"word": {"help": "x"}},
                 "parameters": {"word": {"form": "text", "help": "x"}}}
                """, "recipes/thing/install.sh": install,
                "recipes/thing/check.sh": "[ -e /root/made ] || exit 1; give word \"$(cat /root/made)\"\n",
            ])
        var wish: JSONObject = ["start": true]
        for member in more.members { wish[member.key] = member.value }
        try await node.create(101, wish)
        try await node.perform(
            "container.exec", ["command": ["sh", "-c", "printf 'ID=test\\nVERSION_ID=\"1\"\\n' >/etc/os-release"]])
        return node
    }

    private static let order: JSONObject = ["recipe": "thing", "parameters": ["word": "it's"]]

    @Test func `a recipe sets a container up, tells how far it is, and is not run again when all is right`()
        async throws
    {
        let node = try await Self.running()
        let told = Mutex<[String]>([])
        let context = ActionContext(
            commandID: "cmd_2", logger: Logger(label: "test"),
            progress: { text, _ in told.withLock { $0.append(text) } })
        let made = try await node.perform("recipe.run", Self.order, context: context)
        #expect(made.changed && made.observed["returned"] == ["word": "it's"])
        #expect(told.withLock { $0 } == ["beginning"])
        #expect(try await !node.perform("recipe.run", Self.order).changed)
        #expect(try await node.perform("recipe.look", Self.order).observed["right"] == true)
        #expect(try await node.ask("recipe.list")["recipes"]?.asArray?.first?["recipe"] == "thing")
    }

    @Test func `nothing is run in a container that is another's or nobody's`() async throws {
        let node = try await Self.running()
        var order = Self.order
        order["mark"] = ["service": "svc_2"]
        for action in ["recipe.run", "recipe.look"] {
            let error = await #expect(throws: DriverError.self) { try await node.perform(action, order) }
            #expect(error?.code == .foreign)
        }
        order["mark"] = ["service": "svc_1"]
        #expect(try await node.perform("recipe.look", order).observed["right"] == false)
        try await node.pct("set", "101", "--description", "mine")
        let error = await #expect(throws: DriverError.self) { try await node.perform("recipe.run", Self.order) }
        #expect(error?.code == .foreign && error?.changed == false)
    }

    @Test func `a container that does not run is a conflict`() async throws {
        let node = try await Self.running()
        try await node.perform("container.stop")
        let error = await #expect(throws: DriverError.self) { try await node.perform("recipe.run", Self.order) }
        #expect(error?.code == .conflict && error?.changed == false)
        let absent = await #expect(throws: DriverError.self) {
            try await node.perform("recipe.run", on: 150, Self.order)
        }
        #expect(absent?.code == .notFound)
    }

    @Test func `a container that stops in the middle leaves it unknown, and run again it is repaired`() async throws {
        let node = try await Self.running()
        try await node.perform("container.exec", ["command": ["touch", "/root/wait"]])
        let work = Task { try await node.perform("recipe.run", Self.order) }
        #expect(
            await eventually {
                (try? await node.perform("container.exec", ["command": ["test", "-e", "/root/waits"]]))?
                    .observed["exit_code"] == 0
            })
        try await node.pct("stop", "101")
        let error = await #expect(throws: DriverError.self) { try await work.value }
        #expect(error?.code == .unknownOutcome && error?.changed == true && error?.retryable == true)
        try await node.perform("container.start")
        try await node.perform("container.exec", ["command": ["rm", "/root/wait"]])
        #expect(try await node.perform("recipe.run", Self.order).observed["returned"] == ["word": "it's"])
    }

    @Test func `a cancelled recipe leaves nothing running in the container`() async throws {
        let node = try await Self.running()
        try await node.perform("container.exec", ["command": ["touch", "/root/wait"]])
        let work = Task { try await node.perform("recipe.run", Self.order) }
        #expect(
            await eventually {
                (try? await node.perform("container.exec", ["command": ["test", "-e", "/root/waits"]]))?
                    .observed["exit_code"] == 0
            })
        work.cancel()
        let error = await #expect(throws: DriverError.self) { try await work.value }
        #expect(error?.code == .cancelled && error?.changed == true)
        let heard = Received()
        try await node.perform("container.exec", ["command": ["ps"]], context: heard.context)
        #expect(heard.text(.stdout).contains("ps") && !heard.text(.stdout).contains("sleep 600"))
    }

    /// With a network of their own two containers have the same port, as two sites have.
    @Test func `two containers listen on the same port, each at its own address`() async throws {
        let node = try await EmulatedNode(["network": true])
        let third = Int.random(in: 1...250)
        for (vmid, last) in [(101, 10), (102, 11)] {
            try await node.create(
                vmid,
                [
                    "start": true,
                    "networks": [
                        [
                            "bridge": "vmbr0", "ip": .string("198.18.\(third).\(last)/24"),
                            "gateway": .string("198.18.\(third).1"),
                        ]
                    ],
                ])
            try await node.perform(
                "container.exec", on: vmid,
                [
                    "command": [
                        "sh", "-c", "echo \"$1\" >/tmp/index.html; busybox httpd -p 80 -h /tmp", "sh",
                        .string("\(vmid)"),
                    ]
                ])
        }
        for (vmid, last) in [(101, 10), (102, 11)] {
            let heard = Received()
            try await node.perform(
                "container.exec", on: vmid == 101 ? 102 : 101,
                ["command": ["busybox", "wget", "-q", "-O", "-", "http://127.0.0.1/"]], context: heard.context)
            #expect(heard.text(.stdout) == (vmid == 101 ? "102\n" : "101\n"))
            #expect(await eventually { Self.page("198.18.\(third).\(last)") == "\(vmid)\n" })
        }
    }

    /// What a server says behind its head, asked from the node.
    private static func page(_ host: String) -> String? {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(file) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(80).bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        let request = Array("GET / HTTP/1.0\r\n\r\n".utf8)
        guard connected == 0, write(file, request, request.count) == request.count else { return nil }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while case let count = read(file, &piece, piece.count), count > 0 { bytes += piece[..<count] }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) }
    }
}
