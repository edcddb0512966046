import Model
import Store
import Testing

@testable import ControllerEngine

@Suite struct LoadTests {
    @Test(arguments: [(100.0, 0.0), (75, 0.25), (0, 1), (120, 0), (-5, 1)])
    func `the load of a node is what its processors are not idle`(idle: Double, load: Double) {
        let now = Timestamp.now()
        let samples = LatestSamples(time: now - .seconds(20), values: ["host.cpu.idle": idle])
        #expect(samples.load(at: now) == load)
    }

    @Test func `old figures, none, and those that are no number are no load`() {
        let now = Timestamp.now()
        #expect(LatestSamples(time: now - .seconds(301), values: ["host.cpu.idle": 5]).load(at: now) == nil)
        #expect(LatestSamples(time: now, values: ["host.load.1": 5]).load(at: now) == nil)
        #expect(LatestSamples(time: now, values: ["host.cpu.idle": .nan]).load(at: now) == nil)
    }
}
