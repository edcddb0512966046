import APIModels
import Glibc
import WireProtocol

/// `~/.config/innkeeper/innctl.json`, readable by its owner alone.
enum StoredSettings {
    static func path(environment: (String) -> String?) -> String? {
        if let base = environment("XDG_CONFIG_HOME") { return base + "/innkeeper/innctl.json" }
        return environment("HOME").map { $0 + "/.config/innkeeper/innctl.json" }
    }

    /// What `innctl login` stored; nil when it never did.
    static func read(environment: (String) -> String?) throws(Failure) -> Settings? {
        guard let path = path(environment: environment), access(path, F_OK) == 0 else { return nil }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw Failure(.access, "\(path) holds a key but others may read it: run chmod 600 on it")
        }
        let text = try LocalFile.text(path, what: "the stored login")
        do {
            return try BodyDecoder.model(Settings.self, from: JSONParser.parse(Array(text.utf8)))
        } catch {
            throw Failure(.usage, "\(path) is not a stored login (\(error)): run `innctl login` again")
        }
    }

    /// Stores the login; whole or not at all.
    static func write(_ settings: Settings, environment: (String) -> String?) throws(Failure) -> String {
        guard let path = path(environment: environment) else {
            throw Failure(.usage, "neither HOME nor XDG_CONFIG_HOME is set: there is no place to store the login")
        }
        let bytes: [UInt8]
        do { bytes = try BodyEncoder.bytes(settings) } catch {
            throw Failure(.failed, "the login cannot be written as JSON: \(error)")
        }
        try LocalFile.makeDirectories(above: path)
        try LocalFile.replace(path, with: bytes)
        return path
    }
}
