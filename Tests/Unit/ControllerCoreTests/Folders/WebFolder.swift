import ControllerCore
import WireProtocol

/// A folder as the web host keeps it.
struct WebFolder: ManagedObject {
    static let noun = "folder"
    var name: String
    var files: Int64
    var isOpen: Bool
    var theme = "plain"
}

extension ObjectProvider<WebFolder> {
    /// The web host's API: `/folders/NAME` with GET, PUT and DELETE.
    init(_ http: HTTPPort) {
        @Sendable func url(_ name: String) -> String { "https://host.example.net/folders/\(name)" }
        self.init(
            find: { name, _ throws(PortError) in
                let reply = try await http.send(OutboundRequest("GET", url(name))).accepted([200, 404], "the folder")
                guard reply.status == 200, let json = try? JSONParser.parse(reply.body) else { return nil }
                let folder = WebFolder(
                    name: name, files: json["files"]?.asInteger ?? 0, isOpen: json["open"] == true,
                    theme: json["theme"]?.asString ?? "")
                return MarkedObject(folder, mark: json["owner"]?.asString)
            },
            put: { folder, mark throws(PortError) in
                let body: JSONValue = [
                    "files": .integer(folder.files), "open": .bool(folder.isOpen), "theme": .string(folder.theme),
                    "owner": .string(mark),
                ]
                _ = try await http.send(OutboundRequest("PUT", url(folder.name), body: body.encoded))
                    .accepted([200, 201], "the folder")
            },
            remove: { name, _ throws(PortError) in
                _ = try await http.send(OutboundRequest("DELETE", url(name))).accepted([204, 404], "the folder")
            })
    }
}
