import DriverKit
import WireProtocol

/// What is done to a site's account and to what runs for it.
extension CloudPanelDriver {
    /// nginx and PHP read their settings anew; programs of the customer's own are his to restart.
    func restartSite(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.string("domain")
        try reader.finish()
        try call.concerns("site/\(domain)")
        return try await gate.pass { () throws(DriverError) in
            let site = try await database.requireSite(domain)
            try await reloadNginx()
            let systemctl = "\(places.root)/usr/bin/systemctl"
            if site.type == "php", let version = site.runtime, Files.isExecutable(systemctl),
                let problem = await tool.system(systemctl, ["reload", "php\(version)-fpm"]).problem
            {
                throw DriverError(.failed, "PHP \(version) could not be told", retryable: true, cause: problem)
                    .afterChange()
            }
            return ActionOutcome(changed: true, observed: describe(site))
        }
    }

    func setSitePassword(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.string("domain")
        try reader.finish()
        guard let password = call.secrets["password"]?.asString else {
            throw .invalidArgument("password", "is missing")
        }
        try call.concerns("site/\(domain)")
        return try await gate.pass { () throws(DriverError) in
            let site = try await database.requireSite(domain)
            guard accounts.isSite(site.user) else {
                throw DriverError(.conflict, "the account \(site.user) is no site's")
            }
            let answer = await tool.system(
                places.program("chpasswd"), [], input: "\(site.user):\(password)\n")
            if let problem = answer.problem {
                throw DriverError(
                    .failed, "the password of \(site.user) could not be set", retryable: true,
                    cause: problem.without(password))
            }
            return ActionOutcome(changed: true, observed: describe(site))
        }
    }
}
