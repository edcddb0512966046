import DriverKit
import Model
import WireProtocol

/// Sites: adding, deleting, looking.
extension CloudPanelDriver {
    func listSites(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let sites = try await database.sites().map { JSONValue.object(describe($0)) }
        return .seen(["sites": .array(sites)])
    }

    func showSite(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.string("domain")
        try reader.finish()
        return .seen(describe(try await database.requireSite(domain)))
    }

    func addSite(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let spec = try SiteSpec(&reader)
        try reader.finish()
        let password = call.secrets["site_user_password"]?.asString
        try call.concerns("site/\(spec.domain)")
        return try await gate.pass { () throws(DriverError) in
            if let site = try await database.site(spec.domain) {
                if let difference = spec.difference(from: site) {
                    throw DriverError(.conflict, "site \(spec.domain) is there and \(difference)")
                }
                // An earlier attempt may have ended between the site and its password.
                if begun.isAdding(spec.domain, user: spec.user) { return try await finish(site, password) }
                return .seen(describe(site))
            }
            try await makeRoom(for: spec)
            return try await add(spec, password, call.mark?.made(by: context.commandID))
        }
    }

    func deleteSite(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.string("domain")
        let owner = try reader.optionalString("user")
        try reader.finish()
        try call.concerns("site/\(domain)")
        return try await gate.pass { () throws(DriverError) in
            let gone: JSONObject = ["domain": .string(domain), "present": false]
            guard let site = try await database.site(domain) else {
                // Perhaps half of it is there: of an attempt to add or to delete it.
                let hadRests = try await clearBegun(domain)
                let hadAliases = try await dropAliases(of: domain)
                let wasSuspended = try await lift(domain, reload: true)
                marks.forget(domain)
                return ActionOutcome(changed: hadRests || hadAliases || wasSuspended, observed: gone)
            }
            if let owner, site.user != owner {
                throw DriverError(.conflict, "site \(domain) belongs to \(site.user), not to \(owner)")
            }
            try await delete(site)
            return ActionOutcome(changed: true, observed: gone)
        }
    }
}

extension CloudPanelDriver {
    /// What stands in the way of a site that the panel does not know: what an earlier attempt has left goes, all else
    /// is somebody's.
    private func makeRoom(for spec: SiteSpec) async throws(DriverError) {
        try await clearBegun(spec.domain)
        if let other = try await database.sites().first(where: { $0.user == spec.user }) {
            throw DriverError(.conflict, "the user \(spec.user) has the site \(other.domain)")
        }
        if accounts.contains(spec.user) {
            throw DriverError(.conflict, "the system has an account \(spec.user) that is no site's")
        }
        if Files.exists(places.host(spec.domain)) {
            throw DriverError(.conflict, "nginx has a configuration of \(spec.domain) that is not the panel's")
        }
    }

    private func add(
        _ spec: SiteSpec, _ password: String?, _ mark: Mark?
    ) async throws(DriverError) -> ActionOutcome {
        try begun.note(spec.domain, user: spec.user, .add)
        // Before the site: one that is there without its mark would be nobody's.
        if let mark { try marks.note(mark, of: spec.domain, subject: spec.user) }
        // The words of a process can be read by everybody: this password is nobody's, and lives until the next step.
        let passing = Secret.passing()
        let (command, options) = spec.order
        let answer: PanelAnswer
        do throws(DriverError) {
            answer = try await tool.call(
                command, options + [("siteUserPassword", passing)], secrets: [passing, password ?? ""])
        } catch {
            try await undo(spec, error)
            throw error
        }
        guard let site = try await database.site(spec.domain) else {
            let error = answer.failure("the panel does not know the site")
            try await undo(spec, error)
            throw error
        }
        if let difference = spec.difference(from: site) {
            throw DriverError(.conflict, "site \(spec.domain) was added and \(difference)").afterChange()
        }
        return try await finish(site, password)
    }

    /// Takes back what a failed attempt left, and says so where it cannot.
    private func undo(_ spec: SiteSpec, _ error: DriverError) async throws(DriverError) {
        do throws(DriverError) {
            try await clearBegun(spec.domain)
        } catch let rest {
            throw DriverError(
                error.code, error.message, retryable: error.retryable,
                cause: [error.cause, rest.message, rest.cause].compactMap(\.self).joined(separator: "; ")
            ).afterChange()
        }
    }

    /// The last step of adding: the account's password is what was asked for, or none.
    private func finish(_ site: PanelSite, _ password: String?) async throws(DriverError) -> ActionOutcome {
        let answer =
            if let password {
                await tool.system(places.program("chpasswd"), [], input: "\(site.user):\(password)\n")
            } else {
                await tool.system(places.program("usermod"), ["--lock", "--", site.user])
            }
        if let problem = answer.problem {
            throw DriverError(
                .failed, "site \(site.domain) is there, but the password of \(site.user) could not be set",
                retryable: true, cause: password.map(problem.without) ?? problem
            ).afterChange()
        }
        begun.forget(site.domain)
        return ActionOutcome(changed: true, observed: describe(site))
    }

    private func delete(_ site: PanelSite) async throws(DriverError) {
        try begun.note(site.domain, user: site.user, .delete)
        // Before the certificate that it names: nginx would refuse everything.
        _ = try await dropAliases(of: site.domain)
        let answer = try await tool.call("site:delete", [("domainName", site.domain)], force: true)
        if try await database.site(site.domain) != nil {
            begun.forget(site.domain)
            throw answer.failure("the site is still there").afterChange()
        }
        _ = try await lift(site.domain, reload: false)
        marks.forget(site.domain)
        // Files that the panel has left would be the next site's of that name.
        try await clearBegun(site.domain)
    }

    func describe(_ site: PanelSite) -> JSONObject {
        var json = site.json(isSuspended: Files.exists(places.suspension(site.domain)))
        let aliases = aliases(of: site.domain)
        if !aliases.isEmpty { json["aliases"] = .array(aliases.map { .string($0) }) }
        json["mark"] = marks.mark(of: site.domain, subject: site.user)?.json
        return json
    }
}
