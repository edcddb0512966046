package import DriverKit
import Synchronization
import WireProtocol

/// Sites, certificates, databases, users and templates of a CloudPanel server, through `clpctl`.
///
/// What is there is read from the panel's own database and from the system's files, never from what the tool says; the
/// tool is used to change things, one at a time on this host.
package final class CloudPanelDriver: Driver {
    package static let name = "cloudpanel"

    package let version: String
    /// Two calls of the tool at once spoil each other's work.
    package let concurrency = 1
    let places: PanelPlaces
    let tool: PanelTool
    let gate: PanelGate
    let database: PanelDatabase
    let observed = Mutex(PanelObservation())
    /// Whether users are made, and given passwords, who may work on more than sites of their own: whoever is one has the
    /// panel, and with it the node.
    let allowsAdministrators: Bool

    /// - Parameters:
    ///   - patience: time limit of a command that only looks.
    ///   - gatePatience: how long a change waits for others that change the panel.
    package init(
        places: PanelPlaces = PanelPlaces(), version: String = "unknown", patience: Duration = .seconds(60),
        gatePatience: Duration = .seconds(120), allowsAdministrators: Bool = false
    ) {
        self.allowsAdministrators = allowsAdministrators
        self.places = places
        self.version = version
        tool = PanelTool(places: places, patience: patience)
        gate = PanelGate(places: places, patience: gatePatience)
        database = PanelDatabase(path: places.database)
    }

    /// The driver where the panel's tool and its database are.
    package static func detect(root: String = "", allowsAdministrators: Bool = false) async -> CloudPanelDriver? {
        let places = PanelPlaces(root: root)
        guard Files.isExecutable(places.tool), Files.exists(places.database) else { return nil }
        let version = await PanelDatabase(path: places.database).version()
        return CloudPanelDriver(places: places, version: version, allowsAdministrators: allowsAdministrators)
    }

    package func absence() async -> String? {
        [places.tool, places.database].first { !Files.exists($0) }.map { "\($0) is gone" }
    }

    package var actions: [ActionSpec] { Self.table.map { $0.spec.named(by: Self.forms) } }

    package func perform(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        try await Self.table.perform(call, on: self, context)
    }

    /// What a call works on, by what its arguments say.
    private static let forms: [String: String] = [
        "site": "cloudpanel/site/{domain}",
        "certificate": "cloudpanel/site/{domain}",
        "database": "cloudpanel/database/{database}",
        "dump": "cloudpanel/dump/{dump}",
        "backup": "cloudpanel/backup/{backup}",
        "user": "cloudpanel/user/{user}",
        "template": "cloudpanel/template/{template}",
    ]

    private static let table: [Action<CloudPanelDriver>] =
        (siteActions + certificateActions + databaseActions + dumpActions + backupActions + userActions
        + templateActions)
        .taking(arguments, secrets: secrets, marked: ["site", "certificate", "database"])
}
