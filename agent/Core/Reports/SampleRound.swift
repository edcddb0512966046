package import DriverKit
package import WireProtocol

/// The samples of all drivers put together as one, in the order of the drivers.
///
/// The series of a driver that did not answer in time keep their places without values, so that one slow driver does not
/// change the set for all.
package struct SampleRound: Sendable {
    private var batches: [SampleBatch]
    private var answered: [Bool]
    private var layouts: [Int] = []
    private var definition = SeriesDefinition(names: [])

    package init(drivers: Int) {
        batches = Array(repeating: SampleBatch(), count: drivers)
        answered = Array(repeating: false, count: drivers)
    }

    /// One more driver, which has no part in the round that is on its way.
    package mutating func add() {
        batches.append(SampleBatch())
        answered.append(true)
    }

    package var isComplete: Bool { !answered.contains(false) }

    package mutating func begin() { for index in answered.indices { answered[index] = false } }

    /// The batch that a driver is to fill.
    package mutating func batch(of driver: Int) -> SampleBatch {
        batches[driver].restart()
        return batches[driver]
    }

    package mutating func fill(_ driver: Int, _ batch: SampleBatch) {
        batches[driver] = batch
        batches[driver].finish()
        answered[driver] = true
    }

    /// One driver's answer by itself.
    package static func alone(_ batch: SampleBatch) -> (series: SeriesDefinition, values: [Double?]) {
        var batch = batch
        batch.finish()
        let names = Array(batch.names.prefix(SeriesDefinition.maximumNames))
        return (SeriesDefinition(names: names), Array(batch.values.prefix(names.count)))
    }

    /// The names and values of the round. The names are worked out again only when a driver's changed.
    package mutating func close() -> (series: SeriesDefinition, values: [Double?]) {
        let now = batches.map(\.layout)
        if now != layouts {
            layouts = now
            definition = SeriesDefinition(names: Array(batches.flatMap(\.names).prefix(SeriesDefinition.maximumNames)))
        }
        var values: [Double?] = []
        values.reserveCapacity(definition.names.count)
        for (batch, answered) in zip(batches, answered) {
            if answered { values += batch.values } else { values += Array(repeating: nil, count: batch.names.count) }
        }
        return (definition, Array(values.prefix(SeriesDefinition.maximumNames)))
    }
}
