import Model
import Store
import Testing

@testable import ControllerCore

private func operation(
    _ id: String, service: String?, position: Int64 = 1, node: String? = nil, running: Bool = false,
    kind: String = "suspend"
) -> OperationRecord {
    var record = OperationRecord(
        id: id, kind: kind, service: service, node: node, createdAt: Timestamp(milliseconds: 0))
    record.position = position
    record.state = running ? .running : .queued
    return record
}

@Suite struct DispatchTests {
    let dispatch = Dispatch(limits: ExecutorLimits(perNode: 2, perKind: 3, unplaced: 1), catalogue: .tested)

    private func chosen(
        _ queue: [OperationRecord], active: Set<String> = [], resting: Set<String> = []
    ) -> [String] {
        dispatch.choose(queue, active: active, resting: resting).map(\.id)
    }

    @Test func `only the first operation of each service may begin`() {
        let queue = [
            operation("a", service: "s", position: 1, node: "n"), operation("b", service: "s", position: 2, node: "n"),
            operation("c", service: "t", node: "n"),
        ]
        #expect(chosen(queue) == ["a", "c"])
        #expect(chosen(queue, active: ["a"]) == ["c"])
        #expect(chosen(queue, active: ["a", "c"]).isEmpty)
    }

    @Test func `a resting operation keeps its place before the others of its service`() {
        let queue = [
            operation("a", service: "s", position: 1, node: "n"), operation("b", service: "s", position: 2, node: "n"),
        ]
        #expect(chosen(queue, resting: ["a"]).isEmpty)
    }

    @Test func `a node takes no more than its limit`() {
        let queue = (1...4).map { operation("\($0)", service: "s\($0)", node: "n", kind: "k\($0)") }
        #expect(chosen(queue) == ["1", "2"])
        #expect(chosen(queue, active: ["3"]) == ["1"])
    }

    @Test func `a kind takes no more than its limit over all nodes`() {
        let queue = (1...5).map { operation("\($0)", service: "s\($0)", node: "n\($0)") }
        #expect(chosen(queue) == ["1", "2", "3"])
    }

    @Test func `operations without a node have a limit of their own`() {
        let queue = (1...3).map { operation("\($0)", service: "s\($0)", kind: "provision") }
        #expect(chosen(queue) == ["1"])
    }

    @Test func `what had begun before a restart goes on whatever the limits say`() {
        let queue = (1...5).map { operation("\($0)", service: "s\($0)", node: "n", running: true) }
        #expect(chosen(queue) == ["1", "2", "3", "4", "5"])
    }
}
