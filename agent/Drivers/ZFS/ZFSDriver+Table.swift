import DriverKit
import WireProtocol

extension ZFSDriver {
    /// A copy of a large dataset takes hours.
    private static let transferLimit = Duration.seconds(24 * 3600)

    /// Snapshots on their way: in, out, and from one dataset into another.
    static let transferTable: [Action<ZFSDriver>] = [
        Action(
            ActionSpec(
                "dataset.send", .observe, defaultDeadline: transferLimit, summary: "streams a snapshot as output",
                lasting: true, givesBytes: true)
        ) { driver, call, context throws(DriverError) in try await driver.send(call, context) },
        Action(ActionSpec("send.estimate", .observe, summary: "tells how much a send would be")) {
            driver, call, _ throws(DriverError) in try await driver.estimateSend(call)
        },
        Action(
            ActionSpec(
                "dataset.receive", .mutate, defaultDeadline: transferLimit,
                summary: "makes or brings forward a dataset from a stream that comes as input", input: .always)
        ) { driver, call, context throws(DriverError) in try await driver.receive(call, context) },
        Action(
            ActionSpec(
                "dataset.copy", .mutate, defaultDeadline: transferLimit,
                summary: "sends a snapshot into another dataset of the node")
        ) { driver, call, context throws(DriverError) in try await driver.copyDataset(call, context) },
        Action(ActionSpec("receive.state", .observe, summary: "tells what an interrupted receive has left")) {
            driver, call, _ throws(DriverError) in try await driver.tellReceiveState(call)
        },
        Action(ActionSpec("receive.abort", .mutate, summary: "throws away what an interrupted receive has left")) {
            driver, call, _ throws(DriverError) in try await driver.abortReceive(call)
        },
    ]

    /// What belongs to snapshots.
    static let snapshotTable: [Action<ZFSDriver>] = [
        Action(ActionSpec("snapshot.hold", .mutate, summary: "keeps a snapshot from being destroyed")) {
            driver, call, _ throws(DriverError) in try await driver.holdSnapshot(call)
        },
        Action(ActionSpec("snapshot.release", .mutate, summary: "ends a hold of a snapshot")) {
            driver, call, _ throws(DriverError) in try await driver.releaseSnapshot(call)
        },
        Action(ActionSpec("snapshot.holds", .observe, summary: "lists the holds of a snapshot")) {
            driver, call, _ throws(DriverError) in try await driver.listHolds(call)
        },
        Action(
            ActionSpec(
                "snapshot.usage", .observe, defaultDeadline: .seconds(120),
                summary: "tells what snapshots keep from being freed")
        ) { driver, call, _ throws(DriverError) in try await driver.tellSnapshotUsage(call) },
        Action(
            ActionSpec(
                "dataset.diff", .observe, defaultDeadline: .seconds(600),
                summary: "tells which files changed since a snapshot")
        ) { driver, call, context throws(DriverError) in try await driver.tellDifferences(call, context) },
        Action(ActionSpec("bookmark.ensure", .mutate, summary: "makes a bookmark of a snapshot be there")) {
            driver, call, _ throws(DriverError) in try await driver.ensureBookmark(call)
        },
        Action(ActionSpec("bookmark.list", .observe, summary: "lists the bookmarks of a dataset")) {
            driver, call, _ throws(DriverError) in try await driver.listBookmarks(call)
        },
        Action(ActionSpec("bookmark.destroy", .mutate, summary: "removes one bookmark")) {
            driver, call, _ throws(DriverError) in try await driver.destroyBookmark(call)
        },
    ]

    /// Pools, and the node's storage as a whole.
    static let poolTable: [Action<ZFSDriver>] = [
        Action(ActionSpec("pool.status", .observe, summary: "tells a pool's devices, errors and last scrub")) {
            driver, call, _ throws(DriverError) in try await driver.tellPoolStatus(call)
        },
        Action(ActionSpec("pool.health", .observe, summary: "tells whether all pools are well, and what is not")) {
            driver, call, _ throws(DriverError) in try await driver.tellPoolHealth(call)
        },
        Action(
            ActionSpec(
                "pool.scrub", .mutate, defaultDeadline: transferLimit,
                summary: "starts, pauses or stops a scrub, and waits for its end where asked")
        ) { driver, call, context throws(DriverError) in try await driver.scrub(call, context) },
        Action(
            ActionSpec(
                "pool.events", .observe, defaultDeadline: .seconds(3600), summary: "tells what pools have reported",
                lasting: true)
        ) { driver, call, context throws(DriverError) in try await driver.tellEvents(call, context) },
        Action(ActionSpec("arc.statistics", .observe, summary: "tells what the cache in memory does")) {
            driver, call, _ throws(DriverError) in try await driver.tellArc(call)
        },
        Action(
            ActionSpec(
                "report.full", .observe, defaultDeadline: .seconds(120),
                summary: "tells of pools, datasets, snapshots and cache, with suggestions")
        ) { driver, call, _ throws(DriverError) in try await driver.report(call) },
        Action(
            ActionSpec(
                "report.suggestions", .observe, defaultDeadline: .seconds(120), summary: "tells what could be better")
        ) { driver, call, _ throws(DriverError) in try await driver.suggest(call) },
    ]
}
