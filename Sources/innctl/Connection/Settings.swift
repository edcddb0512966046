import APIModels
import Glibc
import HTTPFetch

/// Where the controller is, with what key it is asked, and who vouches for it.
struct Settings: Codable, Sendable {
    var url: String
    var key: String
    /// PEM of the authority that vouches for the controller; without it the machine's own authorities count.
    var ca: String?
}

extension Settings {
    /// From the environment, then from what `innctl login` stored. The environment wins field by field.
    static func load(environment: (String) -> String? = Settings.variable) throws(Failure) -> Settings {
        let stored = try StoredSettings.read(environment: environment)
        var ca = stored?.ca
        if let path = environment("INNKEEPER_CA") {
            ca = try LocalFile.text(path, what: "INNKEEPER_CA")
        }
        guard let url = environment("INNKEEPER_URL") ?? stored?.url else {
            throw Failure(.usage, "no controller is known: set INNKEEPER_URL or run `innctl login`")
        }
        guard let key = environment("INNKEEPER_KEY") ?? stored?.key else {
            throw Failure(.access, "no API key is known: set INNKEEPER_KEY or run `innctl login`")
        }
        return Settings(url: try checked(url), key: key, ca: ca)
    }

    /// The URL without a slash at its end, if it is one that the key may be sent to.
    static func checked(_ url: String) throws(Failure) -> String {
        var url = url
        while url.hasSuffix("/") { url.removeLast() }
        let isLocal = ["http://127.0.0.1", "http://localhost", "http://[::1]"].contains { base in
            url == base || url.hasPrefix(base + ":")
        }
        guard url.hasPrefix("https://") || isLocal else {
            throw Failure(.usage, "the controller's URL must begin with https://, not \"\(url.prefix(60))\"")
        }
        return url
    }

    /// What somebody may have forgotten, as the end of a sentence; nil where nothing comes to mind.
    func hint(at trouble: HTTPError.Kind) -> String? {
        switch trouble {
        case .untrusted where ca == nil:
            "; if it is a certificate of the controller's own authority, name its ca.pem by INNKEEPER_CA or `innctl login --ca`"
        case .untrusted: "; is INNKEEPER_CA the ca.pem of this controller?"
        case .disconnected where url.hasPrefix("http://"), .malformedResponse where url.hasPrefix("http://"):
            "; the controller speaks https:// unless it was told otherwise, and INNKEEPER_URL begins with http://"
        default: nil
        }
    }

    /// A variable of the environment; empty counts as absent.
    static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }
}
