import APIModels
import ArgumentParser
import WireProtocol

/// The settings of an integration. Secrets come from a file or from standard input, never from arguments, which others on the machine
/// can see.
struct IntegrationOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "A JSON file with the settings, secrets included; - for standard input.")
    var file: String?
    @Option(name: .customLong("set"), help: "A setting that is no secret, name=value; may be given again.")
    var fields: [FieldValue] = []
    @Option(
        name: .customLong("secret"),
        help: "The name of a secret that is read from standard input, a line for each; may be given again.")
    var secretNames: [String] = []

    /// Which settings of the kind are secrets; asked only where it matters.
    func secrets(of kind: String, _ controller: Controller) async throws(Failure) -> Set<String> {
        guard !fields.isEmpty || !secretNames.isEmpty else { return [] }
        let listing: Listing<IntegrationKindView> = try await controller.get("/api/v1/integration-kinds")
        guard let found = listing.items.first(where: { $0.name == kind }) else {
            throw Failure(
                .usage, "there is no kind of integration \(kind); innctl integration kinds tells which there are")
        }
        return Set(found.secrets)
    }

    func settings(over present: JSONObject, secrets: Set<String>) throws(Failure) -> JSONObject {
        var settings = present
        if let file { settings = try Self.read(file) }
        for field in fields {
            guard !secrets.contains(field.name) else {
                throw Failure(
                    .usage, "\(field.name) is a secret: give --secret \(field.name) and write it to standard input")
            }
            settings[field.name] = field.value
        }
        guard !secretNames.isEmpty else { return settings }
        guard file != "-" else { throw Failure(.usage, "--file - and --secret cannot both read standard input") }
        let lines = try LocalFile.text("-", what: "--secret").split(separator: "\n", omittingEmptySubsequences: false)
        for (index, name) in secretNames.enumerated() {
            guard secrets.contains(name) else {
                throw Failure(
                    .usage, "\(name) is no secret of this kind; they are \(secrets.sorted().joined(separator: ", "))")
            }
            guard index < lines.count, !lines[index].isEmpty else {
                throw Failure(.usage, "standard input has no line for \(name)")
            }
            settings[name] = .string(String(lines[index]))
        }
        return settings
    }

    private static func read(_ path: String) throws(Failure) -> JSONObject {
        let text = try LocalFile.text(path, what: "--file")
        guard let settings = (try? JSONParser.parse(Array(text.utf8)))?.asObject else {
            throw Failure(.usage, "\(path) holds no JSON object")
        }
        return settings
    }
}
