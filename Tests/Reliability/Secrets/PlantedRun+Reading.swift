import APIModels
import HTTPFetch
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension PlantedRun {
    /// The answers of every GET that the API describes, with the ids that there are, and what the event streams say.
    func readEverything() async throws -> String {
        let description = try JSONParser.parse(await site.front.send("GET", "/openapi.json").body, limits: .local)
        var read = ""
        for path in description["paths"]?.asObject?.members ?? [] where path.value["get"] != nil {
            for concrete in try await concrete(path.key) {
                let isStream = path.key.hasSuffix("/events")
                read += isStream ? await stream(concrete) : try await answer(concrete)
            }
        }
        for path in ["/api/v1/operations?limit=200", "/api/v1/audit?limit=200", "/api/v1/services?terminated=true"] {
            read += try await answer(path)
        }
        #expect(read.contains("********") && read.contains("planted-1"))
        return read
    }

    private func answer(_ path: String) async throws -> String {
        let response = try await site.front.send("GET", path)
        let fields = response.headers.fields.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
        return "\(path)\n\(fields)\n\(String(decoding: response.body, as: UTF8.self))\n"
    }

    /// Ended operations tell their whole story; the stream of all changes is left after a moment.
    private func stream(_ path: String) async -> String {
        guard path.contains("/operations/") else { return "" }
        let operation = String(path.split(separator: "/")[3])
        var told = ""
        try? await site.front.events(of: operation) { event in
            told += "\(event.name) \(event.data.text)\n"
            return event.name != "end"
        }
        return told
    }

    /// The path with every id that fits.
    private func concrete(_ path: String) async throws -> [String] {
        guard let start = path.firstIndex(of: "{"), let end = path.firstIndex(of: "}") else { return [path] }
        let ids: [String]
        switch path[path.index(after: start)..<end] {
        case "node": ids = try await self.ids("/api/v1/nodes")
        case "service": ids = try await self.ids("/api/v1/services?terminated=true")
        case "operation": ids = try await self.ids("/api/v1/operations")
        case "plan": ids = ["planted", "broken"]
        case "key": ids = try await self.ids("/api/v1/keys")
        default: ids = try await self.ids("/api/v1/tokens")
        }
        return ids.map { path.replacingCharacters(start...end, with: $0) }
    }

    private func ids(_ path: String) async throws -> [String] {
        let page = try await JSONParser.parse(site.front.send("GET", path).body, limits: .local)
        return (page["items"]?.asArray ?? []).compactMap { $0["id"]?.asString }
    }

    /// Everything that was written below the site's folder, but for the files whose very purpose a secret is.
    func searchFiles() throws {
        let own: Set<String> = [
            "admin.key", "home/.config/innkeeper/innctl.json", "controller/ca.key", "controller/server.key",
            "controller/tickets.key", "controller/secrets.key", "agent/identity.json", "guest/identity.json",
            "third/enrolment.key", "second/enrolment.key",
        ]
        let files = Files.all(below: site.folder.path)
        for wanted in ["controller/controller.sqlite", "agent/journal.sqlite", "controller-log/life-1.log"] {
            #expect(files.contains(wanted))
        }
        let keysOnly = Set(Self.keyFiles.map(\.0))
        for file in files where !own.contains(file) {
            var found = search.found(in: try site.folder.read(file))
            // A backup takes the keys of the controller along, and is as well kept as they are.
            if file == "planted.backup" { found.removeAll { keysOnly.contains($0) } }
            #expect(found == [], "in \(file)")
            guard file.hasSuffix(".sqlite") || file == "planted.backup" else { continue }
            for (table, text) in try StoreDump.text(of: site.folder.file(file)) {
                var found = search.found(in: text)
                if file == "planted.backup" { found.removeAll { keysOnly.contains($0) } }
                #expect(found == [], "in table \(table) of \(file)")
            }
        }
        for file in own where file != "second/enrolment.key" && file != "third/enrolment.key" {
            #expect(files.contains(file), "\(file) is not where it was expected")
        }
    }
}

extension String {
    fileprivate func replacingCharacters(_ range: ClosedRange<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[index(after: range.upperBound)...])
    }
}
