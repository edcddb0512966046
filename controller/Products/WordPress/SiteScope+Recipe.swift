import ControllerCore
import Saga
import WireProtocol

/// What the recipe on the node is asked for.
extension SiteScope {
    private static let recipe = "wordpress"
    static let administrator = "admin"

    /// Sets the site up, or puts right what is not as ordered. With an account of an administrator the site is installed, so that
    /// nobody else finds the installer first; a site that is installed keeps those that it has.
    /// - Parameter password: of the account; nil makes none.
    func setUp(
        _ guest: FoundGuest, url: String, title: String, password: String?, _ call: StepCall
    ) async throws(StepFailure) -> JSONObject {
        var parameters: JSONObject = ["url": .string(url)]
        var secrets: JSONObject = [:]
        if let password, let email = spec.email {
            parameters["title"] = .string(spec.title ?? title)
            parameters["admin_email"] = .string(email)
            parameters["admin_user"] = .string(Self.administrator)
            secrets["parameters"] = ["admin_password": .string(password)]
        }
        if !spec.setup.proxies.isEmpty {
            parameters["proxies"] = .string(spec.setup.proxies.joined(separator: " "))
        }
        parameters["upload_mib"] = spec.setup.uploadMiB.map { .string("\($0)") }
        parameters["locale"] = spec.setup.locale.map { .string($0) }
        parameters["archive"] = spec.setup.archive.map { .string($0) }
        parameters["archive_sha256"] = spec.setup.archiveSHA256.map { .string($0) }
        let arguments: JSONObject = ["recipe": .string(Self.recipe), "parameters": .object(parameters)]
        return try await order("recipe.run", guest, arguments, secrets: secrets, call)
    }

    /// Gives an administrator of the site another password.
    func setPassword(
        _ guest: FoundGuest, _ password: String, user: String?, _ call: StepCall
    ) async throws(StepFailure) -> JSONObject {
        var parameters: JSONObject = [:]
        parameters["user"] = user.map { .string($0) }
        return try await order(
            "recipe.run", guest,
            ["recipe": .string(Self.recipe), "verb": "password", "parameters": .object(parameters)],
            secrets: ["parameters": ["password": .string(password)]], call)
    }

    /// Lets whoever has the token in once.
    func admit(
        _ guest: FoundGuest, _ token: String, user: String?, _ call: StepCall
    ) async throws(StepFailure) -> JSONObject {
        var parameters: JSONObject = [:]
        parameters["user"] = user.map { .string($0) }
        return try await order(
            "recipe.run", guest,
            ["recipe": .string(Self.recipe), "verb": "login", "parameters": .object(parameters)],
            secrets: ["parameters": ["token": .string(token)]], call)
    }

    /// Gives the site another address; visitors of the others are sent there.
    func setAddress(_ guest: FoundGuest, to url: String, _ call: StepCall) async throws(StepFailure) {
        _ = try await order(
            "recipe.run", guest,
            ["recipe": .string(Self.recipe), "verb": "address", "parameters": ["url": .string(url)]], call)
    }
}
