package import DriverKit
import WireProtocol

/// Whose a site is, in a folder that only root may read: what lies beside a site is its customer's to forge. The mark is for
/// the domain with its account: a site of that name with another account is another site.
extension CloudPanelDriver: MarkStore {
    var marks: MarkFolder { MarkFolder(places.marks) }

    package func mark(of call: ActionCall) async throws(DriverError) -> FoundMark {
        guard let domain = try await domain(of: call), let site = try await database.site(domain) else {
            return .nothing
        }
        return marks.mark(of: domain, subject: site.user).map { .mark($0) } ?? .unmarked
    }

    /// The site that a call is about; nil where it is about none, or about one that is not there.
    private func domain(of call: ActionCall) async throws(DriverError) -> String? {
        if let domain = call.arguments["domain"]?.asString { return domain }
        guard let name = call.arguments["database"]?.asString else { return nil }
        return try await database.databases().first { $0.name == name }?.domain
    }

    /// Takes a site into care that was made before sites had marks, or by hand.
    func markSite(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.string("domain")
        try reader.finish()
        try call.concerns("site/\(domain)")
        guard let mark = call.mark?.made(by: context.commandID) else { throw .invalidArgument("mark", "is missing") }
        return try await gate.pass { () throws(DriverError) in
            let site = try await database.requireSite(domain)
            if marks.mark(of: domain, subject: site.user) != nil { return .seen(describe(site)) }
            try marks.note(mark, of: domain, subject: site.user)
            return ActionOutcome(changed: true, observed: describe(site))
        }
    }

    /// Lets a site go that was only taken into care: it stays, and is nobody's again.
    func unmarkSite(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.string("domain")
        try reader.finish()
        try call.concerns("site/\(domain)")
        return try await gate.pass { () throws(DriverError) in
            guard let site = try await database.site(domain) else {
                return .seen(["domain": .string(domain), "present": false])
            }
            let wasMarked = marks.mark(of: domain, subject: site.user) != nil
            if wasMarked { marks.forget(domain) }
            return ActionOutcome(changed: wasMarked, observed: describe(site))
        }
    }
}
