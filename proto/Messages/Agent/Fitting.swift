/// Messages whose size depends on what a tool said. A line that the peer must refuse would cut the link, and the same
/// line would cut the next one.
extension CommandResult {
    /// Itself when the peer will take it; else without what makes it too long, too deep or too many.
    ///
    /// `observed` becomes `{"omitted":"…"}`, which says why; the texts of the error are cut.
    package var fitting: CommandResult {
        guard let problem = AgentMessage.result(self).refusal else { return self }
        var result = self
        result.observed = ["omitted": .string(problem.description)]
        result.error?.message.shorten(to: 1024)
        result.error?.detail?.shorten(to: 4096)
        return result
    }
}

extension Inventory {
    /// The same in lines of at most about `bytes` each: the first as this one, the rest deltas of the generations above.
    ///
    /// An item that is too long for a line of its own keeps its resource and loses its state.
    package func pieces(bytes limit: Int = 128 << 10) -> [Inventory] {
        var pieces = [Inventory(driver: driver, generation: generation, full: full, items: [], removed: removed)]
        var used = 0
        for item in items {
            let item = item.fitting(limit)
            let size = item.size
            if used > 0, used + size > limit {
                let next = generation + Int64(pieces.count)
                pieces.append(Inventory(driver: driver, generation: next, full: false, items: []))
                used = 0
            }
            pieces[pieces.count - 1].items.append(item)
            used += size
        }
        return pieces
    }
}

extension Inventory.Item {
    fileprivate var size: Int { resource.utf8.count + state.encoded.count + 32 }

    fileprivate func fitting(_ limit: Int) -> Inventory.Item {
        let alone = Inventory(driver: "x", generation: 0, full: false, items: [self])
        guard size > limit || AgentMessage.inventory(alone).refusal != nil else { return self }
        return Inventory.Item(resource: resource, state: ["omitted": "too long, too deep or too many values"])
    }
}

extension AgentMessage {
    /// What the other side would say to this line; nil when it takes it.
    fileprivate var refusal: WireError? {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        do throws(WireError) { _ = try AgentMessage(decoding: bytes) } catch { return error }
        return nil
    }
}

extension String {
    /// Cut at a whole character, with an ellipsis.
    fileprivate mutating func shorten(to bytes: Int) {
        guard utf8.count > bytes else { return }
        var end = utf8.index(startIndex, offsetBy: bytes)
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        self = self[..<end] + "…"
    }
}
