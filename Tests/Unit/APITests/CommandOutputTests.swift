import APIModels
import HTTPTypes
import Model
import Store
import Testing
import WireProtocol

@testable import API
@testable import HTTP
@testable import ControllerCore

@Suite struct `What a command says` {
    /// A command that has said something on both streams, and has ended.
    private func house() async throws -> (house: House, operation: String) {
        let house = try await House()
        try await house.addNode()
        let request = CommandRequest(operation: "docker.container.exec", resource: "docker/web")
        let made = try await house.operations.command(request, on: "nod_1", by: Requester(name: "test"))
        let id = made.operation.id
        let output = house.operations.live.begin(id, command: "\(id).command.1", isFollowed: true) { _ in }
        output.append(OutputChunk(stream: .stdout, offset: 0, bytes: Array("héllo\n".utf8)))
        output.append(OutputChunk(stream: .stderr, offset: 0, bytes: [0xFF, 0x00]))
        output.append(OutputChunk(stream: .stdout, offset: 100, bytes: Array("later\n".utf8)))
        try await house.store.keepOutput(id, .array(output.tail.map(\.json)))
        house.operations.live.end(id)
        try await house.store.updateOperation(id) { $0.state = .succeeded }
        return (house, id)
    }

    @Test func `comes as events of the operation, streams apart, before its end`() async throws {
        let (house, id) = try await house()
        let path = "/api/v1/operations/\(id)/events"
        let text = try await house.ask(.get, path).text
        #expect(text.contains(#""stream":"stdout","offset":0,"text":"héllo\n""#))
        #expect(text.contains(#""stream":"stderr","offset":0,"base64":"/wA=""#))
        #expect(text.contains(#""stream":"stdout","offset":100,"text":"later\n""#))
        let (last, end) = (text.range(of: "event: output", last: true), text.range(of: "event: operation", last: true))
        #expect(try #require(last) < #require(end), "the end is told last")
    }

    @Test func `goes on behind the last event that was seen`() async throws {
        let (house, id) = try await house()
        let text = try await house.ask(.get, "/api/v1/operations/\(id)/events", headers: [.lastEventID: "0-0-9-2"]).text
        #expect(!text.contains("héllo") && !text.contains("/wA="))
        #expect(text.contains("later"))
    }

    @Test(arguments: ["read", "services", "nodes"]) func `is for those alone who may run commands`(
        scope: String
    ) async throws {
        let (house, id) = try await house()
        let key = try await house.key(scope)
        let text = try await house.ask(.get, "/api/v1/operations/\(id)/events", key: key).text
        #expect(!text.contains("event: output") && text.contains("event: operation"))
        #expect(try await house.ask(.get, "/api/v1/operations/\(id)/output", key: key).status == 403)
        #expect(try await house.ask(.post, "/api/v1/operations/\(id)/input", #"{"offset":0}"#, key: key).status == 403)
    }

    @Test func `is kept for later readers`() async throws {
        let (house, id) = try await house()
        for number in 1...40 {
            _ = house.operations.live.begin("op_\(number)", command: "c", isFollowed: false) { _ in }
            house.operations.live.end("op_\(number)")
        }
        #expect(house.operations.live.output(of: id) == nil)
        let kept = try await house.ask(.get, "/api/v1/operations/\(id)/output").model(CommandOutput.self).pieces
        #expect(kept.map(\.offset) == [0, 0, 100])
        #expect(kept.compactMap(\.bytes) == [Array("héllo\n".utf8), [0xFF, 0x00], Array("later\n".utf8)])
        #expect(try await house.ask(.get, "/api/v1/operations/\(id)/events").text.contains("later"))
    }

    @Test(arguments: [
        (#"{"offset":0}"#, 409), (#"{"offset":-1}"#, 400), (#"{"offset":0,"base64":"%%%"}"#, 400),
        (#"{"offset":0,"text":"a","base64":"YQ=="}"#, 400), (#"{"text":"a"}"#, 400),
    ])
    func `input that is wrong, or for a command that has ended, is refused`(body: String, status: Int) async throws {
        let (house, id) = try await house()
        #expect(try await house.ask(.post, "/api/v1/operations/\(id)/input", body).status == status)
    }
}

extension String {
    fileprivate func range(of text: String, last: Bool) -> String.Index? { ranges(of: text).last?.lowerBound }
}
