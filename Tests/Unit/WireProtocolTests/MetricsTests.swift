import TestSupport
import Testing
import WireProtocol

@Suite struct `Metrics lines` {
    /// A space behind the line sends it through the ordinary reader.
    private func slow(_ line: [UInt8]) throws(WireError) -> AgentMessage {
        try AgentMessage(decoding: line + [0x20])
    }

    private enum Outcome: Hashable {
        case message(AgentMessage)
        /// Without the offset, which the added space may move.
        case refused(code: String, path: String?)
    }

    private func outcome(_ body: () throws(WireError) -> AgentMessage) -> Outcome {
        do throws(WireError) { return .message(try body()) } catch {
            return .refused(code: error.code, path: error.path)
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `the fast and the ordinary reader agree on every line`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let bytes: [UInt8] = Array("0123456789.,-e[]{}\":nul ftr".utf8)
        for _ in 0..<100 {
            let message = Self.random(using: &generator)
            var line = Array(message.line().dropLast())
            #expect(try AgentMessage(decoding: line) == message)
            #expect(try slow(line) == message)
            line[Int.random(in: 0..<line.count, using: &generator)] = bytes.randomElement(using: &generator) ?? 0
            let fast = outcome { () throws(WireError) in try AgentMessage(decoding: line) }
            let ordinary = outcome { () throws(WireError) in try slow(line) }
            #expect(fast == ordinary, "\(String(decoding: line, as: UTF8.self))")
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `every value comes back bit for bit, in its shortest form`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let values = (0..<300).map { _ in Double.randomFigure(using: &generator) }
        let message = Metrics(seq: 1, time: 2, set: "0123456789abcdef", values: values)
        let line = AgentMessage.metrics(message).line().dropLast()
        guard case .metrics(let read) = try AgentMessage(decoding: line) else { throw Unexpected() }
        for (value, copy) in zip(values, read.values) { #expect(copy == value) }
        let text = String(decoding: line, as: UTF8.self)
        let written = text.dropFirst(text.distance(from: text.startIndex, to: text.firstIndex(of: "[")!) + 1)
            .dropLast(2).split(separator: ",")
        for (value, form) in zip(values, written) {
            let description = value.description
            #expect(form == (description.hasSuffix(".0") ? String(description.dropLast(2)) : description))
        }
    }

    private struct Unexpected: Error {}

    @Test func `values that are no figures are written as null`() throws {
        let message = Metrics(seq: 1, time: 2, set: "0123456789abcdef", values: [.nan, .infinity, nil, 1])
        guard case .metrics(let read) = try AgentMessage(decoding: AgentMessage.metrics(message).line().dropLast())
        else {
            throw Unexpected()
        }
        #expect(read.values == [nil, nil, nil, 1])
    }

    @Test func `the id of a set depends on each name and on their order`() {
        let names = ["a", "b", "ab"]
        #expect(SeriesDefinition(names: []).set == "cbf29ce484222325")
        #expect(SeriesDefinition(names: names).set == SeriesDefinition(names: names).set)
        #expect(SeriesDefinition(names: ["a", "b"]).set != SeriesDefinition(names: ["ab"]).set)
        #expect(SeriesDefinition(names: names).set != SeriesDefinition(names: names.reversed()).set)
    }

    @Test func `the full vector's set is the id of its names`() throws {
        let line = Folder.bytes(of: "vectors/valid/agent/series.full.json").dropLast()
        guard case .series(let series) = try AgentMessage(decoding: line) else { throw Unexpected() }
        #expect(series.set == SeriesDefinition.identity(of: series.names))
    }

    @Test func `lines are appended to a buffer that is used again`() throws {
        let message = AgentMessage.heartbeat(Heartbeat(seq: 1, time: 2))
        var buffer = Array("x\n".utf8)
        message.encode(into: &buffer)
        #expect(buffer == Array("x\n".utf8) + message.line().dropLast())
        buffer.removeAll(keepingCapacity: true)
        message.encode(into: &buffer)
        #expect(buffer == Array(message.line().dropLast()))
    }

    private static func random(using generator: inout SeededGenerator) -> AgentMessage {
        let values: [Double?] = (0..<Int.random(in: 1...60, using: &generator)).map { _ in
            Int.random(in: 0..<10, using: &generator) == 0 ? nil : Double.randomFigure(using: &generator)
        }
        return .metrics(
            Metrics(
                seq: Int64.random(in: 0 ... .max, using: &generator),
                time: Int64.random(in: 0 ... .max, using: &generator),
                set: SeriesDefinition.identity(of: ["\(values.count)"]), values: values,
                replayed: Bool.random(using: &generator)))
    }
}
