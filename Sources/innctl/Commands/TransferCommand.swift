import APIModels
import ArgumentParser

/// A dataset of one node on its way to another.
struct TransferCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer", abstract: "Send a ZFS snapshot of one node into a dataset of another.",
        discussion: """
            innctl transfer web1:tank/shop@monday web2:tank/copies/shop --wait
            innctl transfer web1:tank/shop@tuesday web2:tank/copies/shop --from monday --wait

            A transfer that was cut off is asked for again in the same words: it goes on with what has arrived, where ZFS \
            keeps that.
            """)
    @Argument(help: "NODE:DATASET@SNAPSHOT.") var source: SnapshotPlace
    @Argument(help: "NODE:DATASET.") var target: DatasetPlace
    @Option(help: "The snapshot that the target has already: send what came since.") var from: String?
    @Option(help: "The same with a bookmark of the source.") var fromBookmark: String?
    @Flag(help: "With --from: the snapshots in between as well.") var intermediates = false
    @Flag(help: "As it lies on the disk, encrypted data without its key.") var raw = false
    @Flag(help: "Leave compressed what is.") var compressed = false
    @Flag(help: "Roll the target back first, or put the stream over what is there.") var overwrite = false
    @Flag(help: "Let the target be written to; it is read-only by default.") var writable = false
    @Option(help: "Mark the target as this owner's.") var owner: String?
    @Option(help: "How long it may take: 30m, 6h. A day by default.") var deadline: Span?
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if from != nil, fromBookmark != nil { throw ValidationError("--from and --from-bookmark exclude each other") }
    }

    func run() async throws {
        let controller = try Controller.connect()
        let accepted: AcceptedOperation = try await controller.change(
            "POST", "/api/v1/transfers", order, key: wait.idempotencyKey)
        try await Follow(controller, wait, common.output).finish(accepted)
    }

    private var order: TransferBody {
        TransferBody(
            source: TransferSource(
                node: source.place.node, dataset: source.place.dataset, snapshot: source.snapshot, fromSnapshot: from,
                fromBookmark: fromBookmark, intermediates: intermediates ? true : nil, raw: raw ? true : nil,
                compressed: compressed ? true : nil),
            target: TransferTarget(
                node: target.node, dataset: target.dataset, overwrite: overwrite ? true : nil,
                readonly: writable ? false : nil, owner: owner),
            deadlineSeconds: deadline.map { Int64($0.seconds) })
    }
}

/// `web1:tank/shop`
struct DatasetPlace: ExpressibleByArgument {
    let node: String
    let dataset: String

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), !parts[1].contains("@") else { return nil }
        (node, dataset) = (parts[0], parts[1])
    }
}

/// `web1:tank/shop@monday`
struct SnapshotPlace: ExpressibleByArgument {
    let place: DatasetPlace
    let snapshot: String

    init?(argument: String) {
        let parts = argument.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[1].isEmpty, let place = DatasetPlace(argument: parts[0]) else { return nil }
        (self.place, snapshot) = (place, parts[1])
    }
}
