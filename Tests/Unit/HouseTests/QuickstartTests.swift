import Glibc
import Processes
import Testing

/// Settings of `make quickstart`, by its own functions: the whole of it is tried by hand.
@Suite(.timeLimit(.minutes(2))) struct QuickstartTests {
    /// What a shell says that has read the script and then does more.
    private static func shell(_ script: String, _ settings: [String: String] = [:]) async throws -> [String] {
        let outcome = try await Child.run(
            ProcessRequest(
                "bash", ["-c", ". \(House.root)/packaging/quickstart; \(script)"],
                environment: ["HOME": "/tmp"].merging(settings) { $1 }))
        return String(decoding: outcome.stdout, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// A folder in which `name` is a program that does something else.
    private static func program(_ name: String, _ script: String) async throws -> String {
        let folder = "/tmp/innkeeper-quickstart-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let text =
            "mkdir -p \(folder) && printf '#!/bin/sh\\n%s\\n' '\(script)' >\(folder)/\(name) && chmod +x \(folder)/\(name)"
        _ = try await Child.run(ProcessRequest("sh", ["-c", text]))
        return folder
    }

    /// Those that the scripts read, but not those that they make for `innctl`.
    private static var settings: Set<String> {
        let text = House.text("packaging/quickstart") + House.text("packaging/quickstart-site")
        let names = text.matches(of: /\$\{(INNKEEPER_[A-Z_]+)[:}]/).map { String($0.output.1) }
        return Set(names).subtracting(["INNKEEPER_URL", "INNKEEPER_CA", "INNKEEPER_KEY"])
    }

    @Test func `sudo hands on every setting that is read`() async throws {
        let folder = try await Self.program("sudo", "for word; do echo \"$word\"; done")
        let said = try await Self.shell("id() { echo 1000; }; PATH=\(folder):$PATH; needs_root stop")
        _ = try await Child.run(ProcessRequest("rm", ["-r", folder]))
        let kept = try #require(said.first { $0.hasPrefix("--preserve-env=") })
        let handed = Set(kept.dropFirst("--preserve-env=".count).split(separator: ",").map(String.init))
        #expect(Self.settings.contains("INNKEEPER_PROGRAMS") && Self.settings.count >= 6)
        #expect(Self.settings.subtracting(handed).isEmpty)
        #expect(handed.contains("SITE") && said.suffix(2) == ["packaging/quickstart", "stop"])
    }

    @Test func `programs that are named are used, and nothing is built`() async throws {
        let folder = try await Self.program("innctl", "echo from the folder")
        #expect(try await Self.shell("ctl", ["INNKEEPER_PROGRAMS": folder]) == ["from the folder"])
        let ours = try await Self.shell("echo $bin")
        #expect(ours == ["\(House.root)/.build/release"])
        _ = try await Child.run(ProcessRequest("rm", ["-r", folder]))
    }

    @Test(.enabled(if: getuid() == 0, "needs root for a host name of its own"))
    func `no agent sees the operator's key`() async throws {
        let said = try await Self.shell(
            "named other env", ["INNKEEPER_KEY": "ik_secret", "INNKEEPER_URL": "https://x"])
        #expect(said.contains("INNKEEPER_URL=https://x"))
        #expect(!said.contains { $0.contains("ik_secret") })
        let text = House.text("packaging/quickstart")
        let starts = text.split(separator: "\n").filter { $0.contains("$bin/innkeeper-agent") }
        #expect(starts.count == 2 && starts.allSatisfy { $0.contains("named ") })
    }

    @Test func `two on one machine have pools, addresses and ports of their own`() async throws {
        let script = "echo $pool; echo $proxy_address; echo $site_prefix; echo $run/addresses"
        let one = try await Self.shell(script, ["INNKEEPER_RUN": "/tmp/one/.run"])
        let other = try await Self.shell(script, ["INNKEEPER_RUN": "/tmp/other/.run"])
        #expect(one.count == 4 && other.count == 4)
        for (mine, theirs) in zip(one, other) { #expect(mine != theirs) }
        // A port at which another listens is passed over.
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = try #require(
            withUnsafeMutablePointer(to: &address) { pointer -> UInt16? in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
                    var length = size
                    guard bind(listener, plain, size) == 0, listen(listener, 1) == 0,
                        getsockname(listener, plain, &length) == 0
                    else { return nil }
                    return pointer.pointee.sin_port.bigEndian
                }
            })
        let free = try #require(try await Self.shell("free_port \(port)").first.flatMap { UInt16($0) })
        #expect(free > port)
    }
}
