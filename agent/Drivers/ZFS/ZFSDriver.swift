package import DriverKit
import Logging
import Model
import Synchronization
import WireProtocol

/// Pools, datasets and snapshots of the node, through `zfs` and `zpool`: OpenZFS 2.x and the old command line of zfs-fuse.
///
/// Every change looks first, acts, and looks again. Names are checked against the grammar before anything starts, and a
/// call works on the dataset of its own resource (`zfs/<dataset>`) only, never on a pool as a whole.
package final class ZFSDriver: Driver {
    package static let name = "zfs"

    package let version: String
    package let concurrency = 4
    let tools: ZFSTools
    /// Whether the tools print JSON (OpenZFS 2.3 and later), which leaves nothing to guess.
    let speaksJSON: Bool
    /// What stands in front of every path of the node; empty on a real machine.
    let root: String
    let observed: Mutex<ZFSObservation>
    /// Folders below which datasets may be seen; nil for the mount point of each pool.
    let mountRoots: [String]?
    let closed: ClosedPlaces
    let claims: MountClaims

    /// - Parameters:
    ///   - root: in front of every path of the node.
    ///   - claims: what is being mounted on the node, by whichever driver.
    package init(
        tools: ZFSTools, version: String, speaksJSON: Bool = false, root: String = "", mountRoots: [String]? = nil,
        closed: ClosedPlaces = ClosedPlaces(), claims: MountClaims = MountClaims()
    ) {
        self.tools = tools
        self.speaksJSON = speaksJSON
        self.version = version
        self.root = root
        self.mountRoots = mountRoots
        self.closed = closed
        self.claims = claims
        observed = Mutex(ZFSObservation(epoch: Identifier.make("zfs")))
    }

    /// The driver, where the node has both tools and ZFS answers them.
    package static func detect(
        _ tools: ZFSTools? = .installed(), mountRoots: [String]? = nil, closed: ClosedPlaces = ClosedPlaces(),
        claims: MountClaims = MountClaims()
    ) async -> ZFSDriver? {
        guard let tools, (try? await tools.read(.zpool, ["list", "-H", "-o", "name"])) != nil else { return nil }
        return ZFSDriver(
            tools: tools, version: await tools.version(), speaksJSON: await tools.speakJSON(), mountRoots: mountRoots,
            closed: closed, claims: claims)
    }

    package var actions: [ActionSpec] { Self.table.map { $0.spec.named(by: Self.forms) } }

    package func perform(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        do throws(DriverError) {
            return try await admitting(call) { () async throws(DriverError) in
                try await Self.table.perform(call, on: self, context)
            }
        } catch { throw error.about(call) }
    }

    /// What a call works on, by what its arguments say.
    private static let forms: [String: String] = [
        "dataset": "zfs/{dataset}",
        "dataset.clone": "zfs/{target}",
        "dataset.copy": "zfs/{target}",
        "snapshot": "zfs/{dataset}",
        "snapshot.list": "zfs/{dataset}",
        "bookmark": "zfs/{dataset}",
        "bookmark.list": "zfs/{dataset}",
        "receive": "zfs/{dataset}",
        "send": "zfs/{dataset}",
        "pool": "zpool/{pool}",
    ]

    private static let table = (baseTable + transferTable + snapshotTable + poolTable).taking(
        arguments, marked: ["dataset", "snapshot", "bookmark", "receive"])

    private static let baseTable: [Action<ZFSDriver>] = [
        Action(ActionSpec("pool.list", .observe, summary: "lists the pools with sizes and health")) {
            driver, call, _ throws(DriverError) in try await driver.listPools(call)
        },
        Action(ActionSpec("dataset.list", .observe, summary: "lists datasets, all or below one")) {
            driver, call, _ throws(DriverError) in try await driver.listDatasets(call)
        },
        Action(ActionSpec("dataset.usage", .observe, summary: "tells the space a dataset uses")) {
            driver, call, _ throws(DriverError) in try await driver.tellUsage(call)
        },
        Action(ActionSpec("dataset.properties", .observe, summary: "tells properties with their sources")) {
            driver, call, _ throws(DriverError) in try await driver.tellProperties(call)
        },
        Action(ActionSpec("dataset.ensure", .mutate, summary: "makes a dataset be there as asked, mounted")) {
            driver, call, context throws(DriverError) in try await driver.ensureDataset(call, context)
        },
        Action(ActionSpec("dataset.quota", .mutate, summary: "sets or lifts a dataset's quota")) {
            driver, call, _ throws(DriverError) in try await driver.setQuota(call)
        },
        Action(
            ActionSpec(
                "dataset.destroy", .mutate, defaultDeadline: .seconds(300),
                summary: "removes a dataset, with all below it where asked")
        ) { driver, call, _ throws(DriverError) in try await driver.destroyDataset(call) },
        // Whose mark a dataset bears may show it to its containers: that is the node's owner's to give.
        Action(
            ActionSpec("dataset.mark", .mutate, summary: "gives a dataset without a mark its mark", guarded: true)
        ) { driver, call, context throws(DriverError) in try await driver.markDataset(call, context) },
        Action(ActionSpec("dataset.snapshot", .mutate, summary: "makes a snapshot be there")) {
            driver, call, _ throws(DriverError) in try await driver.ensureSnapshot(call)
        },
        Action(
            ActionSpec(
                "dataset.rollback", .mutate, defaultDeadline: .seconds(300),
                summary: "takes a dataset back to a snapshot")
        ) { driver, call, _ throws(DriverError) in try await driver.rollBack(call) },
        Action(ActionSpec("dataset.clone", .mutate, summary: "makes a dataset out of a snapshot")) {
            driver, call, context throws(DriverError) in try await driver.ensureClone(call, context)
        },
        Action(ActionSpec("snapshot.list", .observe, summary: "lists the snapshots of a dataset")) {
            driver, call, _ throws(DriverError) in try await driver.listSnapshots(call)
        },
        Action(
            ActionSpec(
                "snapshot.destroy", .mutate, defaultDeadline: .seconds(300), summary: "removes one snapshot")
        ) { driver, call, _ throws(DriverError) in try await driver.destroySnapshot(call) },
    ]
}
