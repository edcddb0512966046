import ControllerCore
import Placement
import WireProtocol

/// What a plan promises: an engine, the chart that installs it, and what the chart is told.
struct StoreSpec: Sendable, Hashable {
    enum Engine: String, Sendable, Hashable, CaseIterable { case woocommerce, medusa }

    /// What becomes of a provisioning that fails.
    enum OnFailure: String, Sendable, Hashable, CaseIterable {
        /// All stays as it is, to be looked at, tried again or terminated.
        case keep
        /// All is removed again.
        case unwind
    }

    /// Where the chart comes from, as the driver takes it.
    struct Chart: Sendable, Hashable {
        var chart: String
        var version: String?
        var repo: String?
    }

    /// How long it may take until a shop is up, and how often that is looked at.
    struct Patience: Sendable, Hashable {
        var timeoutSeconds: Int64
        var pollSeconds: Int64
        /// Whether an ingress without an address is not ready; some controllers never give one.
        var needsAddress: Bool
    }

    struct Backups: Sendable, Hashable {
        enum Schedule: String, Sendable, Hashable, CaseIterable { case none, daily, weekly }

        /// How many are kept; none can be made where it is 0.
        var retention: Int64
        var schedule: Schedule
        var sizeGiB: Int64
    }

    var engine: Engine
    /// Of the engine: the plugin of WooCommerce, the operator's image of Medusa. Nil leaves it to the chart.
    var version: String?
    var chart: Chart
    /// The domain below which shops get their names.
    var zone: String
    var tls: Bool
    var filesGiB: Int64
    var databaseGiB: Int64
    var backups: Backups
    /// What the operator tells the chart, for all clusters and for this one; the latter lies over the former.
    var values: JSONObject
    var environmentValues: JSONObject
    var patience: Patience
    var onFailure: OnFailure
    /// The shop's: its label in the zone, and the beginning of its id.
    var name: String?
    /// Given by whoever has to tell it before it is made: the name and six more. The product makes one without it.
    var id: String?
    var email: String?
    var title: String?
    var strategy: PlacementStrategy
    /// Labels that the node must carry.
    var nodeLabels: [String: String]
    var labels: [String: String]

    /// The cluster's own scheduler and the chart's quota see to the room: none of it is the node's.
    var demand: Demand {
        Demand(resources: .none, drivers: ["helm"], labels: nodeLabels, storage: .none, strategy: strategy)
    }
}

extension StoreSpec {
    static let nameLimit = 46

    var json: JSONObject {
        var json: JSONObject = [
            "engine": .string(engine.rawValue), "chart": .string(chart.chart), "zone": .string(zone),
            "tls": .bool(tls), "files_gib": .integer(filesGiB), "database_gib": .integer(databaseGiB),
            "backups": [
                "retention": .integer(backups.retention), "schedule": .string(backups.schedule.rawValue),
                "size_gib": .integer(backups.sizeGiB),
            ],
            "ready": [
                "timeout_s": .integer(patience.timeoutSeconds), "poll_s": .integer(patience.pollSeconds),
                "ingress_address": .bool(patience.needsAddress),
            ],
            "on_failure": .string(onFailure.rawValue),
            "placement": ["strategy": .string(strategy.rawValue), "labels": .strings(nodeLabels)],
        ]
        json["version"] = version.map { .string($0) }
        json["chart_version"] = chart.version.map { .string($0) }
        json["chart_repo"] = chart.repo.map { .string($0) }
        json["name"] = name.map { .string($0) }
        json["id"] = id.map { .string($0) }
        json["email"] = email.map { .string($0) }
        json["title"] = title.map { .string($0) }
        if !values.isEmpty { json["values"] = .object(values) }
        if !environmentValues.isEmpty { json["environment_values"] = .object(environmentValues) }
        if !labels.isEmpty { json["labels"] = .strings(labels) }
        return json
    }

    /// Of a service that is only removed.
    static let none = StoreSpec(
        engine: .woocommerce, version: nil, chart: Chart(chart: "/none", version: nil, repo: nil), zone: "none.invalid",
        tls: false, filesGiB: 1, databaseGiB: 1, backups: Backups(retention: 0, schedule: .none, sizeGiB: 1),
        values: [:],
        environmentValues: [:], patience: Patience(timeoutSeconds: 600, pollSeconds: 5, needsAddress: false),
        onFailure: .keep, name: nil, id: nil, email: nil, title: nil, strategy: .spread, nodeLabels: [:], labels: [:])
}
