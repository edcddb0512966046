import AgentCommands
import Testing
import WireProtocol

@testable import Sessions

@Suite struct `The input of a command` {
    private let bytes = [UInt8](repeating: 7, count: 1000)

    @Test func `is taken once however often it comes, and not with a hole`() {
        var input = CommandInput()
        #expect(input.take(bytes, at: 0, end: false).answer == .taken(upTo: 1000))
        let again = input.take(bytes, at: 0, end: false)
        #expect(again.answer == .taken(upTo: 1000) && again.fresh.isEmpty)
        #expect(input.take(bytes, at: 500, end: false).fresh.count == 500)
        #expect(input.take(bytes, at: 2000, end: false).answer == .gap(from: 1500))
        #expect(input.take([], at: 1500, end: true).answer == .taken(upTo: 1500))
        #expect(input.take([], at: 1500, end: true).answer == .taken(upTo: 1500))
        #expect(input.take(bytes, at: 1500, end: false).answer == .ended)
    }

    @Test func `is no more than a window ahead of what the command has read`() {
        var input = CommandInput()
        let large = [UInt8](repeating: 1, count: Consumed.window)
        #expect(input.take(large, at: 0, end: false).answer == .taken(upTo: Int64(large.count)))
        #expect(input.take([1], at: Int64(large.count), end: false).answer == .full)
        input.consumed(10)
        #expect(input.take([1], at: Int64(large.count), end: false).answer == .taken(upTo: Int64(large.count) + 1))
        input.consumed(1 << 40)
        #expect(input.take(large, at: Int64(large.count) + 1, end: false).answer == .full, "it read more than it got")
    }

    @Test func `that was not read goes again to another session, with its end`() {
        var input = CommandInput()
        _ = input.take([UInt8](repeating: 1, count: 100_000), at: 0, end: true)
        input.consumed(20_000)
        let lines = input.again(to: "c").compactMap { if case .input(let line) = $0 { line } else { nil } }
        #expect(lines.map(\.offset) == [20_000, 85_536])
        #expect(lines.map(\.data.count) == [65_536, 14_464])
        #expect(lines.map(\.end) == [false, true])
        #expect(CommandInput().again(to: "c").isEmpty)
    }

    @Test func `tells a new session the newest size of the terminal, once there was one`() {
        var input = CommandInput()
        _ = input.take(bytes, at: 0, end: false)
        _ = input.resize(rows: 24, columns: 80, of: "c")
        let line = input.resize(rows: 50, columns: 132, of: "c")
        #expect(line == .input(Input(id: "c", data: [], end: false, offset: 1000, rows: 50, columns: 132)))
        let again = input.again(to: "c").compactMap { if case .input(let line) = $0 { line } else { nil } }
        #expect(again.map(\.rows) == [50, nil] && again.map(\.offset) == [0, 0])
    }
}
