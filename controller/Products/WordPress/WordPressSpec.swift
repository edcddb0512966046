import ControllerCore
import Placement
import WireProtocol

/// What a plan promises: a site with its container, its names and its backups.
struct WordPressSpec: Sendable, Hashable {
    /// Whether the HA manager looks after the container.
    enum HighAvailability: String, Sendable, Hashable, CaseIterable {
        /// Where there are at least three votes, and the root disk is on shared storage.
        case auto
        case on, off
    }

    /// How backups are made and kept.
    struct Backups: Sendable, Hashable {
        enum Schedule: String, Sendable, Hashable, CaseIterable { case none, daily, weekly }

        /// How many are kept; none are made where it is 0.
        var retention: Int64
        var schedule: Schedule
        /// The storage that takes them.
        var storage: String?
    }

    /// What the container's kernel lets it do.
    struct Features: Sendable, Hashable {
        var nesting: Bool
        var keyctl: Bool
        var fuse: Bool
    }

    /// What the recipe is told beside what follows from the service.
    struct Setup: Sendable, Hashable {
        /// Whose word is taken for the visitor's address: addresses and ranges of the proxy, as the container sees them.
        var proxies: [String]
        var uploadMiB: Int64?
        var locale: String?
        var archive: String?
        var archiveSHA256: String?
    }

    var memoryBytes: Int64
    var cores: Int64
    var diskBytes: Int64
    /// Domains of the customer's own that the site may have.
    var domains: Int64
    var backups: Backups
    /// `storage:vztmpl/file`.
    var template: String
    /// The storage of the root disk; nil lets the placement choose.
    var storage: String?
    /// The name of a network.
    var network: String
    /// The domain below which the site gets its name.
    var zone: String
    /// The integrations to use, by name; nil takes the one that there is.
    var dns: String?
    var proxy: String?
    var zones: String?
    /// Where names lead; those of the proxy where it is empty.
    var addresses: [String]
    var highAvailability: HighAvailability
    var features: Features
    /// What the snapshot after the installation is called.
    var snapshot: String
    var setup: Setup
    /// Of the customer, who becomes the site's administrator.
    var email: String?
    var title: String?
    var strategy: PlacementStrategy
    /// Labels that the node must carry.
    var nodeLabels: [String: String]
    /// The service's own labels, for people and billing systems.
    var labels: [String: String]
    /// Whether a site that is found stopped is started again without being asked.
    var repairs: Bool

    var resources: Resources {
        Resources(cpuMillis: cores * 1000, memoryBytes: memoryBytes, diskBytes: diskBytes)
    }

    var demand: Demand {
        Demand(
            resources: resources, drivers: ["proxmox"], labels: nodeLabels, storage: .proxmox(content: "rootdir"),
            pool: storage, template: template, strategy: strategy)
    }
}

extension WordPressSpec {
    /// The recipe asks for this much.
    static let memory: ClosedRange<Int64> = (512 << 20)...(1 << 44)
    static let disk: ClosedRange<Int64> = (4 << 30)...(1 << 47)
    static let coreCount: ClosedRange<Int64> = 1...1024

    var json: JSONObject {
        var json: JSONObject = [
            "memory_bytes": .integer(memoryBytes), "cores": .integer(cores), "disk_bytes": .integer(diskBytes),
            "domains": .integer(domains), "backups": .object(backups.json), "template": .string(template),
            "network": .string(network), "zone": .string(zone), "ha": .string(highAvailability.rawValue),
            "features": [
                "nesting": .bool(features.nesting), "keyctl": .bool(features.keyctl), "fuse": .bool(features.fuse),
            ],
            "snapshot": .string(snapshot), "repair": .bool(repairs),
            "placement": ["strategy": .string(strategy.rawValue), "labels": .strings(nodeLabels)],
        ]
        json["storage"] = storage.map { .string($0) }
        json["dns"] = dns.map { .string($0) }
        json["proxy"] = proxy.map { .string($0) }
        json["zones"] = zones.map { .string($0) }
        json["email"] = email.map { .string($0) }
        json["title"] = title.map { .string($0) }
        if !addresses.isEmpty { json["addresses"] = .array(addresses.map { .string($0) }) }
        if !setup.json.isEmpty { json["setup"] = .object(setup.json) }
        if !labels.isEmpty { json["labels"] = .strings(labels) }
        return json
    }
}

extension WordPressSpec.Backups {
    var json: JSONObject {
        var json: JSONObject = ["retention": .integer(retention), "schedule": .string(schedule.rawValue)]
        json["storage"] = storage.map { .string($0) }
        return json
    }
}

extension WordPressSpec.Setup {
    var json: JSONObject {
        var json: JSONObject = [:]
        if !proxies.isEmpty { json["proxies"] = .array(proxies.map { .string($0) }) }
        json["upload_mib"] = uploadMiB.map { .integer($0) }
        json["locale"] = locale.map { .string($0) }
        json["archive"] = archive.map { .string($0) }
        json["archive_sha256"] = archiveSHA256.map { .string($0) }
        return json
    }
}

extension WordPressSpec {
    /// Of a service that is only removed.
    static let none = WordPressSpec(
        memoryBytes: memory.lowerBound, cores: 1, diskBytes: disk.lowerBound, domains: 0,
        backups: Backups(retention: 0, schedule: .none, storage: nil), template: "none:vztmpl/none", storage: nil,
        network: "none", zone: "none.invalid", dns: nil, proxy: nil, zones: nil, addresses: [], highAvailability: .off,
        features: Features(nesting: false, keyctl: false, fuse: false), snapshot: "initial",
        setup: Setup(proxies: [], uploadMiB: nil, locale: nil, archive: nil, archiveSHA256: nil), email: nil,
        title: nil,
        strategy: .spread, nodeLabels: [:], labels: [:], repairs: false)
}
