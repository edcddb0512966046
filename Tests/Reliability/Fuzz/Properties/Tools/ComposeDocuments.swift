import DriverKit
import Glibc
import Model
import WireProtocol
import YAML

@testable import DockerDriver

/// Compose files, which come from whoever may order, and ports of the kernel.
enum ComposeDocuments {
    static let targets = [
        FuzzTarget("compose-yaml") { input in
            try document(text(input))
            try file(text(input))
        },
        FuzzTarget("compose-ports", longest: 1024) { input in
            try ports(text(input))
            try ranges(text(input))
            try kernel(text(input))
        },
    ]

    /// Whatever is taken is written to what means the same, and is no more than what one node can hold.
    private static func document(_ text: String) throws {
        for schema in YAMLSchema.allCases { try document(text, schema) }
    }

    private static func document(_ text: String, _ schema: YAMLSchema) throws {
        let value: JSONValue
        do { value = try YAMLReader.read(text, as: schema) } catch {
            try require(error.line >= 1 && error.column >= 1 && !error.problem.isEmpty, "a refusal without a place")
            try require(error.line <= text.utf8.count + 1, "a refusal beyond the end")
            try require(error.description.utf8.count <= 1000, "a refusal that goes on and on")
            return
        }
        if schema == .both {
            for other in [YAMLSchema.pyYAML, .goYAML] {
                try require(try YAMLReader.read(text, as: other) == value, "both read it alike, but \(other)")
            }
        }
        let written = YAMLWriter.write(value)
        try require(written.utf8.count <= 32 << 20, "\(text.utf8.count) bytes become \(written.utf8.count)")
        guard written.utf8.count <= ComposeFile.sizeLimit else { return }
        do { try require(try YAMLReader.read(written) == value, "a document reads back as another") } catch {
            guard let refusal = error as? YAMLError else { throw error }
            throw Violation(description: "refuses its own document: \(refusal)")
        }
        try require(YAMLWriter.write(try YAMLReader.read(written)) == written, "a document is written in two ways")
    }

    private static func file(_ text: String) throws {
        let file: ComposeFile
        do { file = try ComposeFile(text) } catch { return try refused(error) }
        guard file.text.utf8.count <= ComposeFile.sizeLimit else { return }
        try require(try ComposeFile(file.text) == file, "a compose file reads back as another")
        let found = findings(file)
        try require(findings(try ComposeFile(file.text)) == found, "written anew, a file asks for something else")
        for (name, body) in file.services {
            let risks = Set(found.filter { $0.place.hasPrefix("service \(name): ") }.map(\.risk))
            if body["privileged"] == true { try require(risks.contains(.privileged), "\(name) becomes master unseen") }
            if body["pid"] == "host" { try require(risks.contains(.namespaces), "\(name) sees the node's processes") }
            if body["network_mode"] == "host" { try require(risks.contains(.hostNetwork), "\(name) has its network") }
        }
        try transformed(file)
    }

    private static func findings(_ file: ComposeFile) -> Set<ComposeFinding> {
        let binds = file.binds(isFilledIn: true).map { ComposeFinding(risk: .binds, place: $0.place) }
        return Set(file.findings(project: "fuzz", isFilledIn: true) + binds)
    }

    private static func refused(_ error: DriverError) throws {
        try brief(error, atMost: 400)
        try require(
            error.code == .invalidArgument || error.code == .conflict, "refused as \(error.code): \(error.message)")
    }

    private static func transformed(_ file: ComposeFile) throws {
        let order: JSONObject = [
            "paths": ["/srv": "/mnt"], "networks": ["default": "shared"], "ports": ["80": 8080],
            "free_ports": [20_000, 20_100],
        ]
        let taken = [NodePort("", 8080, "tcp", "somebody")]
        do {
            let wish = try ComposeTransform(order)
            let changed = try TransformedFile(file, wish, project: "fuzz", taken: taken)
            let placed = try changed.file.resolvingPaths(in: "/nowhere/fuzz/data")
            try require(try placed.resolvingPaths(in: "/nowhere/fuzz/data") == placed, "paths move twice")
            guard placed.text.utf8.count <= ComposeFile.sizeLimit else { return }
            try require(try ComposeFile(placed.text) == placed, "a changed file reads back as another")
        } catch let error as DriverError {
            try refused(error)
        }
    }

    // MARK: - Ports

    private static func ports(_ text: String) throws {
        let entries: [JSONValue] = [
            .string(text), ["published": .string(text), "target": 80], ["published": 80, "protocol": .string(text)],
        ]
        for entry in entries {
            let wanted = NodePort.wanted(entry, service: "web")
            try require(wanted.allSatisfy { (1...65_535).contains($0.port) }, "a port that no node has")
            try require(Set(wanted.map(\.port)).count == wanted.count, "a port twice")
            for port in wanted.prefix(4) {
                try carried(port.observed)
                try require(port.meets(port), "a port that does not meet itself")
            }
        }
        if let mount = ComposeMount(.string(text)) {
            try require(mount.value == .string(text), "a mount is written as another")
        }
    }

    private static func ranges(_ text: String) throws {
        guard let range = AddressRange(text) else { return }
        try require(AddressRange(range.description) == range, "a range reads back as another")
        try require(range.overlaps(range), "a range that does not meet itself")
    }

    private static func kernel(_ table: String) throws {
        for port in NodePort.listening(table, "tcp", state: "0A") {
            try require((1...65_535).contains(port.port), "a port that no node has")
            var address = [UInt8](repeating: 0, count: 16)
            let isAddress = [AF_INET, AF_INET6].contains { inet_pton($0, port.address, &address) == 1 }
            try require(isAddress || port.address.isEmpty, "no address: \(port.address)")
            try require(PortTable([port]).holder(of: port) == port, "a port that nobody has")
        }
        for range in AddressRange.routes(table) {
            try require(AddressRange(range.description) == range, "a route reads back as another")
        }
    }
}
