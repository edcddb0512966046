import DriverKit
import Testing

@Suite struct SampleBatchTests {
    func fill(_ batch: inout SampleBatch, _ names: [String]) {
        batch.restart()
        for (place, name) in names.enumerated() { batch.append(name, Double(place)) }
        batch.finish()
    }

    @Test func `the layout stays while the names stay`() {
        var batch = SampleBatch()
        fill(&batch, ["a", "b", "c"])
        let layout = batch.layout
        fill(&batch, ["a", "b", "c"])
        #expect(batch.layout == layout)
        #expect(batch.names == ["a", "b", "c"])
        #expect(batch.values == [0, 1, 2])
    }

    @Test(arguments: [
        ["a", "b"], ["a", "b", "c", "d"], ["a", "x", "c"], ["b", "c"], [],
    ])
    func `another list of names is another layout, once`(_ names: [String]) {
        var batch = SampleBatch()
        fill(&batch, ["a", "b", "c"])
        let layout = batch.layout
        fill(&batch, names)
        #expect(batch.layout == layout + 1)
        #expect(batch.names == names)
        #expect(batch.values.count == names.count)
    }

    @Test func `a known series without a value keeps its place`() {
        var batch = SampleBatch()
        fill(&batch, ["a", "b"])
        let layout = batch.layout
        batch.restart()
        batch.append("a", nil)
        batch.append("b", 2)
        batch.finish()
        #expect(batch.layout == layout)
        #expect(batch.values == [nil, 2])
    }
}
