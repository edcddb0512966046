import AgentCore
import Glibc
import TestSupport
import Testing
import WireProtocol

/// The examples of docs/policy.md are read as an agent reads them, and mean what the page says.
@Suite struct `The page on policies` {
    private let policies: [Policy]

    init() throws {
        let text = try #require(Self.read("\(Checkout.root)/docs/policy.md"))
        policies = try text.components(between: "```json\n", and: "```").map { example in
            try Policy(reading: try #require(try JSONParser.parse(example).asObject))
        }
        try #require(policies.count == 4)
    }

    @Test func `first example: all but what is guarded or denied, and shells in the laboratory`() {
        let policy = policies[0]
        #expect(policy.denial(of: "docker.container.ensure", on: "docker/x") == nil)
        #expect(policy.denial(of: "docker.container.exec", on: "docker/lab-1", guarded: true) == nil)
        #expect(policy.denial(of: "docker.container.exec", on: "docker/shop", guarded: true) != nil)
        #expect(policy.denial(of: "zfs.dataset.destroy", on: "zfs/tank/archive/2025") != nil)
        #expect(policy.denial(of: "zfs.dataset.destroy", on: "zfs/tank/a") == nil)
        #expect(policy.denial(of: "proxmox.container.destroy", on: "proxmox/ct/101") != nil)
    }

    @Test func `second example: looking alone`() {
        #expect(policies[1].denial(of: "zfs.dataset.list", on: "zfs") == nil)
        #expect(policies[1].denial(of: "docker.container.ensure", on: "docker/x") != nil)
    }

    @Test func `third example: Innkeeper's own things alone`() {
        let policy = policies[2]
        #expect(policy.denial(of: "docker.container.remove", on: "docker/svc_1") == nil)
        #expect(policy.denial(of: "docker.container.remove", on: "docker/mine") != nil)
        #expect(policy.denial(of: "docker.container.exec", on: "docker/svc_1", guarded: true) != nil)
        #expect(policy.denial(of: "zfs.dataset.destroy", on: "zfs/tank/innkeeper/svc_1") == nil)
        #expect(policy.denial(of: "zfs.dataset.destroy", on: "zfs/tank") != nil)
    }

    @Test func `fourth example: every shell, but no raw write`() {
        #expect(policies[3].denial(of: "proxmox.container.exec", on: "proxmox/ct/1", guarded: true) == nil)
        #expect(policies[3].denial(of: "host.file.write", on: "host", guarded: true) != nil)
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(validating: buffer[..<count], as: UTF8.self)
    }
}

extension String {
    fileprivate func components(between start: String, and end: String) -> [String] {
        var (found, rest) = ([String](), self[...])
        while let opening = rest.firstRange(of: start) {
            rest = rest[opening.upperBound...]
            guard let closing = rest.firstRange(of: end) else { break }
            found.append(String(rest[..<closing.lowerBound]))
            rest = rest[closing.upperBound...]
        }
        return found
    }
}
