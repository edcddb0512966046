import WireProtocol

/// A fault put into the product's promises on purpose, to see that the simulation finds it.
package enum Plant: String, CaseIterable, Sendable {
    /// The agent's journal pretends to be on the disk: an effect may come to be whose receipt is lost with the process.
    case receiptAfterEffect = "receipt-after-effect"
    /// Every order reaches its agent with one and the same generation, so that late ones are not known for late.
    case staleGeneration = "stale-generation"
    /// Agents are told that reports are stored when they have only arrived.
    case ackBeforeStore = "ack-before-store"
    /// Two services may be given the same port of a node.
    case doubleAllocation = "double-allocation"
    /// The word of what a full spool has dropped is lost on the way, and the numbers are passed off as stored.
    case swallowedGap = "swallowed-gap"
}

/// What a seed's world is like, drawn from the seed.
package struct Options: Sendable {
    package var plant: Plant?
    var nodes = 1
    var customers = 1
    /// How long faults go on.
    var duration: Moment = .seconds(120)
    var settings = Settings()
    var spoolBytes = 64 << 20
    var cutsLines = false
    var mean: Moment = .milliseconds(2)

    init(seed: UInt64, plant: Plant?) {
        self.plant = plant
        var chance = Chance(seed: seed, for: "options")
        nodes = 1 + chance.below(Identities.nodes)
        customers = 1 + chance.below(5)
        duration = chance.between(.seconds(40), .seconds(240))
        settings.sampleMs = chance.pick([1_000, 2_000, 10_000])
        settings.inventoryMs = 60_000
        spoolBytes = chance.pick([2 << 10, 16 << 10, 64 << 20])
        cutsLines = chance.happens(0.3)
        mean = chance.pick([.microseconds(200), .milliseconds(2), .milliseconds(80)])
    }
}
