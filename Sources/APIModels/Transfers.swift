/// `POST /api/v1/transfers`: a snapshot of one node's dataset into a dataset of another node.
package struct TransferBody: Codable, Sendable {
    package var source: TransferSource
    package var target: TransferTarget
    /// 1 to 86400; a day when absent.
    package var deadlineSeconds: Int64?

    package init(source: TransferSource, target: TransferTarget, deadlineSeconds: Int64? = nil) {
        self.source = source
        self.target = target
        self.deadlineSeconds = deadlineSeconds
    }
}

/// What is sent, and how: the arguments of `zfs.dataset.send`.
package struct TransferSource: Codable, Sendable {
    /// Id or name.
    package var node: String
    package var dataset: String
    package var snapshot: String
    /// What the target has already: a snapshot of the same dataset, or a bookmark of one.
    package var fromSnapshot: String?
    package var fromBookmark: String?
    /// The snapshots in between as well.
    package var intermediates: Bool?
    /// As it lies on the disk: compressed, and encrypted without the key.
    package var raw: Bool?
    package var compressed: Bool?
    package var largeBlocks: Bool?

    package init(
        node: String, dataset: String, snapshot: String, fromSnapshot: String? = nil, fromBookmark: String? = nil,
        intermediates: Bool? = nil, raw: Bool? = nil, compressed: Bool? = nil, largeBlocks: Bool? = nil
    ) {
        (self.node, self.dataset, self.snapshot) = (node, dataset, snapshot)
        (self.fromSnapshot, self.fromBookmark, self.intermediates) = (fromSnapshot, fromBookmark, intermediates)
        (self.raw, self.compressed, self.largeBlocks) = (raw, compressed, largeBlocks)
    }
}

/// Where it goes: the arguments of `zfs.dataset.receive`.
package struct TransferTarget: Codable, Sendable {
    /// Id or name.
    package var node: String
    package var dataset: String
    /// Roll the target back to its newest snapshot first, or put a full stream over what is there.
    package var overwrite: Bool?
    /// True when absent.
    package var readonly: Bool?
    package var owner: String?

    package init(
        node: String, dataset: String, overwrite: Bool? = nil, readonly: Bool? = nil, owner: String? = nil
    ) {
        (self.node, self.dataset, self.overwrite) = (node, dataset, overwrite)
        (self.readonly, self.owner) = (readonly, owner)
    }
}
