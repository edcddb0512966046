import APIModels
import ArgumentParser

struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Store the controller's address and a key for the commands that follow.",
        discussion:
            "The key is read from INNKEEPER_KEY, or from --key-file; it is never an argument, where others could see it."
    )

    @Option(help: "The controller's URL, such as https://innkeeper.example.org:8443.")
    var url: String?

    @Option(help: "A file that holds the key; - for standard input.")
    var keyFile: String?

    @Option(help: "A PEM file with the authority that vouches for the controller.")
    var ca: String?

    func run() async throws {
        guard let url = url ?? Settings.variable("INNKEEPER_URL") else {
            throw Failure(.usage, "give the controller's URL with --url or INNKEEPER_URL")
        }
        let authority = try (ca ?? Settings.variable("INNKEEPER_CA")).map { path throws(Failure) in
            try LocalFile.text(path, what: "--ca")
        }
        let settings = Settings(url: try Settings.checked(url), key: try key(), ca: authority)
        let _: Listing<Node> = try await Controller(settings).get("/api/v1/nodes", query: Query([("limit", "1")]))
        let path = try StoredSettings.write(settings, environment: Settings.variable)
        Terminal.note("Logged in to \(settings.url); stored in \(path).")
    }

    private func key() throws(Failure) -> String {
        if let keyFile {
            let text = try LocalFile.text(keyFile, what: "--key-file")
            if let line = text.split(whereSeparator: \.isWhitespace).first { return String(line) }
            throw Failure(.usage, "--key-file: \(keyFile) is empty")
        }
        guard let key = Settings.variable("INNKEEPER_KEY") else {
            throw Failure(.usage, "give the key with --key-file or INNKEEPER_KEY")
        }
        return key
    }
}
