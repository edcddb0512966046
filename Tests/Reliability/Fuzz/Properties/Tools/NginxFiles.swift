import DriverKit
import WireProtocol

@testable import SwagDriver

/// Configuration in a folder that a container may write to, and what nginx says of it.
enum NginxFiles {
    static let targets = [
        FuzzTarget("nginx-config") { input in
            try words(Array(input))
            try sample(Array(input))
            try verdict(text(input))
            try names(text(input))
        }
    ]

    private static func words(_ bytes: [UInt8]) throws {
        let read = NginxText(bytes)
        try require(read.statements.count <= bytes.count, "more statements than bytes")
        try require(read.statements.allSatisfy { !$0.isEmpty && !$0.contains("") }, "a statement without words")
        let written = read.statements.map { $0.map(quoted).joined(separator: " ") + ";\n" }.joined()
        try require(NginxText(Array(written.utf8)) == read, "words read back as others")
        let names = read.serverNames
        try require(Set(names).count == names.count && !names.contains("_"), "an odd list of names")
        _ = (SwagDriver.isManaged(bytes), SwagDriver.owner(bytes))
    }

    private static func quoted(_ word: String) -> String {
        "\"" + word.unicodeScalars.map { "\\\"".unicodeScalars.contains($0) ? "\\\($0)" : "\($0)" }.joined() + "\""
    }

    /// Whatever the sample holds: what is made of it serves the ordered names from the ordered place, and no others.
    private static func sample(_ bytes: [UInt8]) throws {
        var reader = ArgumentReader([
            "name": "shop", "server_names": ["shop.example.org", "www.example.org"], "upstream": "shop-web",
            "port": 8080, "protocol": "http", "body_limit_bytes": 0, "streaming": false,
        ])
        let order = try ProxySpec(&reader)
        let plain = NginxText(Array(order.text(home: "/config").utf8))
        try require(plain.serverNames == order.serverNames, "the plain form has other names")
        let made: String
        do { made = try order.text(from: bytes) } catch {
            try require(error.code == .unsupported, "refused as \(error.code)")
            return
        }
        let read = NginxText(Array(made.utf8))
        try require(read.serverNames == order.serverNames, "the sample serves other names: \(read.serverNames)")
        for statement in read.statements
        where statement.first == "set" && statement.dropFirst().first == "$upstream_app" {
            try require(statement == ["set", "$upstream_app", "shop-web"], "the sample leads elsewhere: \(statement)")
        }
        try require(SwagDriver.isManaged(Array(made.utf8)), "nobody can tell whose file it is")
    }

    private static func verdict(_ text: String) throws {
        for code: Int64 in [0, 1] {
            let verdict = NginxVerdict(code, text)
            try carried(verdict.observed)
            try require(verdict.messages.count <= 20, "\(verdict.messages.count) messages")
            try require(verdict.messages.allSatisfy { $0.unicodeScalars.count <= 500 }, "a message without an end")
            try require(verdict.culprit.map { !$0.contains("/") } ?? true, "a culprit elsewhere")
        }
        let said = SwagDriver.shortened(text) ?? ""
        try require(said.unicodeScalars.count <= 1000, "an answer without an end")
        try require(
            !said.unicodeScalars.contains { $0.properties.generalCategory == .control }, "an unprintable answer")
    }

    private static func names(_ text: String) throws {
        if let file = ProxyFile(text) {
            try require(!file.name.contains("/") && !file.name.hasPrefix("."), "a file elsewhere: \(file.name)")
            try require(file.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "an odd name")
            try require(ProxyFile(file.name) == file, "a name reads back as another")
        }
        if SwagDriver.fits("swag", text, nil) { try require(text.contains("swag"), "another image: \(text)") }
        if ProxySpec.isHostName(text) { try require(!text.contains("*") && !text.contains(";"), "an odd host") }
        if ProxySpec.isUpstream(text) {
            try require(
                text.utf8.allSatisfy { $0 > 0x20 && !";{}$\"'\\".utf8.contains($0) }, "an upstream that is code")
        }
    }
}
