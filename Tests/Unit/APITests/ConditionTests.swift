import APIModels
import HTTPTypes
import Hummingbird
import Model
import Processes
import Store
import Testing
import WireProtocol

@testable import API
@testable import HTTP

/// Changes that come at the same time, and tags that tell whether something has changed.
@Suite struct ConditionTests {
    @Test func `parallel changes of labels leave all of them`() async throws {
        let house = try await House()
        try await house.addNode()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<10 {
                group.addTask {
                    let body = #"{"labels":{"l\#(number)":"x"}}"#
                    let answer = try await house.ask(.patch, "/api/v1/nodes/alpha/labels", body)
                    #expect(answer.status == 200)
                }
            }
            try await group.waitForAll()
        }
        let labels = try await house.ask(.get, "/api/v1/nodes/alpha/labels").model(LabelsRequest.self).labels
        #expect(labels.keys.sorted() == (0..<10).map { "l\($0)" })
    }

    @Test func `null takes a label away, and what is not named stays`() async throws {
        let house = try await House()
        try await house.addNode()
        _ = try await house.ask(.put, "/api/v1/nodes/alpha/labels", #"{"labels":{"a":"1","b":"2","c":"3"}}"#)
        let changed = try await house.ask(
            .patch, "/api/v1/nodes/alpha/labels", #"{"labels":{"a":null,"b":"4","zz":null}}"#,
            headers: [.contentType: "application/merge-patch+json"])
        #expect(try changed.model(Node.self).labels == ["b": "4", "c": "3"])
        let wrong = try await house.ask(.patch, "/api/v1/nodes/alpha/labels", #"{"labels":{"-":"x"}}"#)
        #expect(wrong.status == 400)
    }

    @Test func `a set of labels is replaced only as it was seen`() async throws {
        let house = try await House()
        try await house.addNode()
        let path = "/api/v1/nodes/alpha/labels"
        let seen = try #require(await house.ask(.get, path).response.headers[.eTag])
        let first = try await house.ask(.put, path, #"{"labels":{"a":"1"}}"#, headers: [.ifMatch: seen])
        #expect(first.status == 200)
        let second = try await house.ask(.put, path, #"{"labels":{"b":"1"}}"#, headers: [.ifMatch: seen])
        #expect(second.status == 412)
        #expect(try second.problem.kind == .preconditionFailed)
        let tag = try #require(first.response.headers[.eTag])
        #expect(try await house.ask(.get, path).response.headers[.eTag] == tag)
        let third = try await house.ask(.put, path, #"{"labels":{"b":"1"}}"#, headers: [.ifMatch: "\"x\", \(tag)"])
        #expect(third.status == 200)
    }

    @Test func `a plan is replaced only as it was seen, made only where there is none, and taken away as it was seen`()
        async throws
    {
        let house = try await House()
        let path = "/api/v1/plans/small"
        let none: HTTPFields = [.ifNoneMatch: "*"]
        #expect(try await house.ask(.put, path, House.plan, headers: [.ifMatch: "*"]).status == 412)
        let made = try await house.ask(.put, path, House.plan, headers: none)
        #expect(made.status == 200)
        #expect(try await house.ask(.put, path, House.plan, headers: none).status == 412)
        let tag = try #require(made.response.headers[.eTag])
        #expect(try await house.ask(.get, path).response.headers[.eTag] == tag)
        let other = House.plan.replacing("busybox:1", with: "busybox:2")
        #expect(try await house.ask(.put, path, other, headers: [.ifMatch: tag]).status == 200)
        #expect(try await house.ask(.put, path, House.plan, headers: [.ifMatch: tag]).status == 412)
        #expect(try await house.ask(.delete, path, headers: [.ifMatch: tag]).status == 412)
        #expect(try await house.store.plan("small")?.spec["image"] == "busybox:2")
        #expect(try await house.ask(.delete, path).status == 204)
    }

    @Test func `a hidden value that comes back is that of the moment of the change`() async throws {
        let house = try await House()
        let path = "/api/v1/plans/small"
        func plan(_ value: String, memory: Int) -> String {
            #"{"image":"b","memory_bytes":\#(memory),"cpu_millis":500,"disk_bytes":134217728,"env":{"PW":"\#(value)"}}"#
        }
        _ = try await house.ask(.put, path, plan("one", memory: 67_108_864))
        let seen = try #require(await house.ask(.get, path).response.headers[.eTag])
        _ = try await house.ask(.put, path, plan("two", memory: 67_108_864))
        let stale = try await house.ask(.put, path, plan("********", memory: 77_108_864), headers: [.ifMatch: seen])
        #expect(stale.status == 412)
        _ = try await house.ask(.put, path, plan("********", memory: 77_108_864))
        #expect(try await house.store.plan("small")?.spec["env"]?["PW"] == "two")
    }

    @Test func `who knows the state gets no body again`() async throws {
        let house = try await House()
        try await house.addNode()
        for path in ["/api/v1/nodes", "/api/v1/nodes/alpha", "/api/v1/nodes/alpha/labels", "/openapi.json"] {
            let tag = try #require(await house.ask(.get, path).response.headers[.eTag])
            let again = try await house.ask(.get, path, headers: [.ifNoneMatch: tag])
            #expect(again.status == 304 && again.body.isEmpty && again.response.headers[.eTag] == tag)
            #expect(try await house.ask(.get, path, headers: [.ifNoneMatch: "W/\(tag)"]).status == 304)
            #expect(try await house.ask(.get, path, headers: [.ifNoneMatch: "\"other\""]).status == 200)
        }
    }

    @Test func `long answers are short for who reads gzip, and say the same`() async throws {
        try await OpenHouse.with { open in
            for number in 0..<40 { try await open.house.addNode("nod_\(number)", name: "node\(number)") }
            let script = """
                printf 'GET /api/v1/nodes HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nAccept-Encoding: %s\\r\\n\
                Authorization: Bearer \(open.house.admin)\\r\\n\\r\\n' "$0" | \
                openssl s_client -quiet -ign_eof -connect 127.0.0.1:\(open.port) 2>/dev/null | sed '1,/^\\r$/d'
                """
            let plain = try await Child.run(
                ProcessRequest("/bin/sh", ["-c", script, "identity"], deadline: .seconds(60)))
            let short = try await Child.run(
                ProcessRequest("/bin/sh", ["-c", "(\(script)) | gzip -dc", "gzip, br"], deadline: .seconds(60)))
            #expect(short.stdout == plain.stdout && plain.stdout.count > 4000)
        }
        let house = try await House()
        for number in 0..<40 { try await house.addNode("nod_\(number)", name: "node\(number)") }
        let reply = try await house.ask(.get, "/api/v1/nodes", headers: [.acceptEncoding: "gzip"])
        #expect(reply.response.headers[.contentEncoding] == "gzip" && reply.body.count < 2000)
        #expect(reply.response.headers[.vary] == "Accept-Encoding")
        let tag = try #require(reply.response.headers[.eTag])
        #expect(tag.hasSuffix("-gzip\""))
        #expect(try await house.ask(.get, "/api/v1/nodes", headers: [.ifNoneMatch: tag]).status == 304)
        for refused in ["", "br", "gzip;q=0", "gzip;q=0, *", "identity, *;q=0"] {
            let reply = try await house.ask(.get, "/api/v1/nodes", headers: [.acceptEncoding: refused])
            #expect(reply.response.headers[.contentEncoding] == nil, "\(refused)")
        }
        #expect(Gzip.isAccepted("*") && Gzip.isAccepted("br;q=1, GZIP ; q=0.1"))
    }

    @Test func `a change that cannot honour a condition refuses it`() async throws {
        let house = try await House()
        try await house.addNode()
        let reply = try await house.ask(.post, "/api/v1/nodes/alpha/cordon", headers: [.ifMatch: "\"x\""])
        #expect(reply.status == 400)
        #expect(try await house.store.node("nod_1")?.schedulable == true)
        let wrong = try await house.ask(.put, "/api/v1/plans/small", House.plan, headers: [.ifMatch: "x"])
        #expect(wrong.status == 400)
    }
}
