import DriverKit
import WireProtocol

/// Sites that are being added or deleted, on disk: what is found of one that the panel does not know is then ours to
/// clear, and nobody else's. The panel writes a site into its database last, and refuses a second attempt for ever after
/// it died in the first.
struct BegunSites: Sendable {
    enum Deed: String, Sendable { case add, delete }

    let folder: String

    func note(_ domain: String, user: String, _ deed: Deed) throws(DriverError) {
        try Files.makeFolder(folder)
        try Files.write(Array("\(user)\n\(deed.rawValue)\n".utf8), to: "\(folder)/\(domain)", mode: 0o600)
    }

    /// The user of a site that was begun.
    func user(of domain: String) -> String? { lines(of: domain)?.user }

    /// Whether an addition was begun that has not come to its last step.
    func isAdding(_ domain: String, user: String) -> Bool {
        let found = lines(of: domain)
        return found?.user == user && found?.deed == .add
    }

    private func lines(of domain: String) -> (user: String, deed: Deed?)? {
        let words = Files.text("\(folder)/\(domain)", atMost: 256)?.split(separator: "\n").map(String.init)
        guard let words, let user = words.first else { return nil }
        return (user, words.dropFirst().first.flatMap(Deed.init))
    }

    func forget(_ domain: String) { Files.remove("\(folder)/\(domain)") }
}

/// The accounts of the system, by the file that has them all.
struct SystemAccounts: Sendable {
    let path: String

    func contains(_ name: String) -> Bool { entry(name) != nil }

    /// Whether removing the account with its home removes a site's account: an ordinary one that lives where sites do.
    func isSite(_ name: String) -> Bool {
        guard let fields = entry(name), fields.count >= 6, let number = Int(fields[2]) else { return false }
        return number >= 1000 && fields[5] == "/home/\(name)"
    }

    private func entry(_ name: String) -> [Substring]? {
        let lines = (Files.text(path, atMost: 16 << 20) ?? "").split(separator: "\n")
        return lines.map { $0.split(separator: ":", omittingEmptySubsequences: false) }.first { $0[0] == name }
    }
}

extension CloudPanelDriver {
    var begun: BegunSites { BegunSites(folder: places.begun) }
    var accounts: SystemAccounts { SystemAccounts(path: places.accounts) }

    /// Removes what a site that was begun has left, unless the panel knows the site or its user by now.
    /// - Returns: whether anything was there.
    /// - Throws: `failed` with what cannot be removed.
    @discardableResult
    func clearBegun(_ domain: String) async throws(DriverError) -> Bool {
        guard let user = begun.user(of: domain) else { return false }
        let sites = try await database.sites()
        if sites.contains(where: { $0.domain == domain || $0.user == user }) { return false }
        let removed = places.belongings(domain, user).filter { Files.remove($0) }
        if removed.contains(places.host(domain)) { try? await reloadNginx() }
        for version in removed.compactMap(Self.phpVersion) { await reloadPHP(version) }
        var hadAccount = false
        if accounts.isSite(user) {
            hadAccount = true
            let answer = await tool.system(places.program("userdel"), ["--remove", "--", user])
            if accounts.contains(user) {
                throw DriverError(
                    .failed, "the account \(user) of the site \(domain) is left over", retryable: true,
                    cause: answer.problem)
            }
        }
        begun.forget(domain)
        marks.forget(domain)
        return hadAccount || !removed.isEmpty
    }

    /// Of a pool's file, `…/etc/php/8.3/fpm/pool.d/example.com.conf`.
    private static func phpVersion(_ path: String) -> String? {
        let parts = path.split(separator: "/")
        return parts.firstIndex(of: "fpm").flatMap { $0 > 0 ? String(parts[$0 - 1]) : nil }
    }

    /// A pool whose account is gone keeps PHP from starting again.
    private func reloadPHP(_ version: String) async {
        _ = await tool.system("\(places.root)/usr/bin/systemctl", ["reload", "php\(version)-fpm"])
    }
}
