import Testing
import WireProtocol

@Suite struct `Golden vectors` {
    @Test func `there are vectors to check`() throws {
        #expect(CanonicalVector.all.count > 60)
        #expect(try DescribedVector.all(in: "vectors/valid/lenient").count > 15)
        #expect(try DescribedVector.invalid().count > 500)
    }

    @Test(arguments: CanonicalVector.all)
    func `a canonical line decodes and encodes to the same bytes`(vector: CanonicalVector) throws {
        #expect(vector.line.last == 0x0A)
        let encoded = try #require(try vector.direction.canonical(vector.line.dropLast()))
        #expect(String(decoding: encoded, as: UTF8.self) == String(decoding: vector.line, as: UTF8.self))
    }

    @Test(arguments: CanonicalVector.all)
    func `two readings of one line are equal messages`(vector: CanonicalVector) throws {
        let line = vector.line.dropLast()
        switch vector.direction {
        case .agent: #expect(try Set([AgentMessage(decoding: line), AgentMessage(decoding: Array(line))]).count == 1)
        case .controller: #expect(try ControllerMessage(decoding: line) == ControllerMessage(decoding: Array(line)))
        }
    }

    @Test(arguments: try DescribedVector.all(in: "vectors/valid/lenient"))
    func `a line of a newer or looser peer is understood or ignored`(vector: DescribedVector) throws {
        let encoded = try vector.direction.canonical(try vector.line)
        let expected = vector.fields["canonical"]?.asString
        #expect(encoded.map { String(decoding: $0.dropLast(), as: UTF8.self) } == expected)
    }

    @Test(arguments: try DescribedVector.invalid())
    func `an invalid line is refused with the error that the vector names`(vector: DescribedVector) throws {
        let line = try vector.line
        let direction = try vector.direction
        let error = try #require(throws: WireError.self) { try direction.canonical(line) }
        #expect(error.code == (try vector.fields.string("error")))
        #expect(error.path == (try vector.fields.optionalString("path")))
    }

    @Test(arguments: try DescribedVector.invalid())
    func `the goodbye to an invalid line is itself a short valid line`(vector: DescribedVector) throws {
        let line = try vector.line
        let direction = try vector.direction
        let error = try #require(throws: WireError.self) { try direction.canonical(line) }
        let goodbye = ControllerMessage.goodbye(Goodbye(answering: error))
        #expect(goodbye.line().count < 512)
        #expect(try ControllerMessage(decoding: goodbye.line().dropLast()) == goodbye)
    }
}
