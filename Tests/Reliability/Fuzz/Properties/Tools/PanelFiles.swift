import DriverKit
import WireProtocol

@testable import CloudPanelDriver

/// Sites' configuration as tenants and the panel leave it, and what the panel's tool prints.
enum PanelFiles {
    static let targets = [
        FuzzTarget("panel-files") { input in
            try configuration(text(input))
            try suspension(text(input))
            try answer(input)
            try dump(Array(input))
        }
    ]

    private static func configuration(_ text: String) throws {
        let read = HostConfiguration(text)
        let written = read.servers.map { server in
            let listens = server.listens.map { "listen \($0.joined(separator: " "));\n" }
            return "server {\n\(listens.joined())server_name \(server.names.joined(separator: " "));\n}\n"
        }
        try require(HostConfiguration(written.joined()) == read, "servers read back as others")
        var tokens = NginxTokens(text)
        var count = 0
        while let token = tokens.next() {
            count += 1
            if case .word(let word) = token { try require(!word.isEmpty, "a word of nothing") }
        }
        try require(count <= text.unicodeScalars.count, "more words than characters")
    }

    /// What stands before a suspended site listens where the site does, for its names, and says nothing else.
    private static func suspension(_ text: String) throws {
        let configuration = HostConfiguration(text)
        let site = PanelSite(
            id: "1", domain: "shop.example.org", user: "shop", type: "php",
            rootDirectory: String(text.prefix { $0 != "\n" }), application: nil, runtime: nil, port: nil, proxyURL: nil,
            certificate: nil)
        let host = SuspendedHost(site, configuration, PanelPlaces(root: "/r"))
        let wanted = configuration.servers.filter { !$0.names.isEmpty && !$0.listens.isEmpty }
        guard let made = host.text else { return try require(wanted.isEmpty, "a server that is not suspended") }
        let read = HostConfiguration(made).servers
        try require(read.map(\.names) == wanted.map(\.names), "other names are suspended")
        try require(read.map(\.addresses) == wanted.map(\.addresses), "it listens elsewhere")
        try require(host.needsCertificate == read.contains(where: \.needsCertificate), "another need of a certificate")
        let tokens = Array(NginxTokens(made))
        let blocks = tokens.count { $0 == .open }
        let paths = zip(tokens, tokens.dropFirst()).count { $0 == .open && $1 == .word("root") }
        try require(blocks == 2 * read.count + paths, "\(blocks) blocks for \(read.count) servers")
        try carried(site.json(isSuspended: true))
    }

    private static func answer(_ input: UnsafeRawBufferPointer) throws {
        let answer = PanelAnswer(
            command: "site:add", outcome: ended(input, said: Array(input)), secrets: ["hunter2"])
        for said in [answer.text, answer.said ?? ""] {
            try require(!contains(said, bytes: "hunter2"), "a secret is told")
        }
        if let error = answer.error { try brief(error) }
        try brief(answer.failure("there is none"))
        let templates = PanelTemplate.parse(text(input))
        try require(templates.count <= 3 * input.count, "more templates than lines")
        for template in templates { try carried(template.json) }
    }

    /// The end of a dump is the same however it comes.
    private static func dump(_ bytes: [UInt8]) throws {
        let (whole, pieces) = (DumpTail(), DumpTail())
        whole.append(bytes)
        for start in stride(from: 0, to: bytes.count, by: 7) {
            pieces.append(Array(bytes[start..<min(start + 7, bytes.count)]))
        }
        try require(whole.isComplete == pieces.isComplete, "a dump in pieces ends otherwise")
    }
}
