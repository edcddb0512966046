package import DriverKit
import Model
import Synchronization
package import WireProtocol

/// What was seen at the last look around.
struct PanelObservation: Sendable {
    var sites: Int?
    var suspended = 0
    var databases: Int?
    /// What keeps a suspension from being renewed, by domain: told once.
    var problems: [String: String] = [:]
}

extension CloudPanelDriver {
    /// How often suspensions are compared with what the panel has made of their sites.
    static let lookInterval = Duration.seconds(30)

    /// What an earlier life of the agent could not clear: keys that were handed to a tool, dumps that were never whole.
    package func recover(_ abandoned: [AbandonedCommand]) async {
        Handover.clear(in: places.handover)
        for name in Files.names(in: places.backups) where name.hasPrefix(".") {
            try? SiteBackup(name: name, in: places.backups).clear("\(places.backups)/\(name)")
        }
        for name in Files.names(in: places.dumps) where name.hasPrefix(".") { Files.remove("\(places.dumps)/\(name)") }
    }

    package func facts() async -> JSONObject {
        let versions = Files.names(in: "\(places.root)/etc/php").filter { $0.first?.isNumber == true }.sorted()
        return [
            "panel_version": .string(version), "sites": .integer(Int64((try? await database.sites().count) ?? 0)),
            "php_versions": .array(versions.map { .string($0) }),
        ]
    }

    package func inventory() async throws(DriverError) -> [InventoryItem] {
        try await database.sites().map { InventoryItem(resource: $0.resource, state: describe($0)) }
    }

    package func sample(into batch: inout SampleBatch) async {
        let seen = observed.withLock { $0 }
        guard let sites = seen.sites, let databases = seen.databases else { return }
        batch.append("cloudpanel.sites", Double(sites))
        batch.append("cloudpanel.sites.suspended", Double(seen.suspended))
        batch.append("cloudpanel.databases", Double(databases))
    }

    /// Keeps suspensions true to their sites, and counts.
    package func events(_ emit: @escaping @Sendable (DriverEvent) -> Void) async {
        while !Task.isCancelled {
            for event in await lookAround() { emit(event) }
            try? await Task.sleep(for: Self.lookInterval)
        }
    }

    /// One look; the events are the suspensions that had to be renewed or ended.
    func lookAround() async -> [DriverEvent] {
        guard let sites = try? await database.sites() else {
            observed.withLock { $0.sites = nil }
            return []
        }
        let databases = (try? await database.databases())?.count
        let (suspended, aliased) = (suspendedDomains, aliasedDomains)
        observed.withLock {
            ($0.sites, $0.suspended, $0.databases) = (sites.count, suspended.count, databases)
            $0.problems = $0.problems.filter { suspended.contains($0.key) || aliased.contains($0.key) }
        }
        return suspended.isEmpty && aliased.isEmpty && untoldDomains.isEmpty ? [] : await renewSuspensions()
    }

    private func renewSuspensions() async -> [DriverEvent] {
        // Whoever works on the panel now may be at one of them; the next look is soon. A child that is being started
        // holds the lock of its parent for a moment.
        let near = PanelGate(places: places, patience: .seconds(2))
        let renewed: [DriverEvent]? = try? await near.pass { () throws(DriverError) in
            let sites = try await database.sites()
            var events: [DriverEvent] = []
            for domain in Set(suspendedDomains + untoldDomains).sorted() {
                if let event = await renew(domain, sites.first { $0.domain == domain }) { events.append(event) }
            }
            for domain in aliasedDomains {
                if let event = await renewAliases(domain, sites.first { $0.domain == domain }) { events.append(event) }
            }
            return events
        }
        return renewed ?? []
    }

    private func renew(_ domain: String, _ site: PanelSite?) async -> DriverEvent? {
        let resource = "cloudpanel/site/\(domain)"
        do throws(DriverError) {
            let isSuspended = Files.exists(places.suspension(domain))
            let changed: Bool
            if let site, isSuspended {
                changed = try await suspend(site)
            } else {
                changed = try await lift(domain, reload: true)
            }
            observed.withLock { $0.problems[domain] = nil }
            let kind = site == nil ? "site.suspension_ended" : "site.suspension_renewed"
            return changed ? DriverEvent(time: .now(), resource: resource, kind: kind) : nil
        } catch {
            let problem = error.description
            let isNew = observed.withLock { $0.problems.updateValue(problem, forKey: domain) != problem }
            guard isNew else { return nil }
            return DriverEvent(
                time: .now(), resource: resource, kind: "site.suspension_failed", data: ["problem": .string(problem)])
        }
    }
}

extension PanelDatabase {
    /// What the panel calls itself; `unknown` where it cannot be read.
    func version() async -> String {
        let found = try? await rows([("config", ["key", "value"])], needed: ["config"])
        let row = found?["config"]?.first { $0["key"] == "app_version" }
        let text = row?["value"] ?? ""
        return !text.isEmpty && text.allSatisfy { $0.isNumber || $0 == "." } ? text : "unknown"
    }
}
