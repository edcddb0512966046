import DriverKit
import TestSupport
import Testing
import WireProtocol

@testable import DockerDriver

@Suite struct ImageTests {
    @Test func `an image is imported once, listed and removed once`() async throws {
        let bench = try await Workbench()
        let folder = try ScratchFolder("image")
        var tar = TarFile()
        tar.file("only", Array("content".utf8))
        tar.end()
        let path = try folder.write(tar.bytes, to: "one.tar")
        let reference = "innkeeper-test/\(Workbench.name("import")):v1"
        let arguments: JSONObject = ["reference": .string(reference), "path": .string(path)]
        let first = try await bench.perform("image.import", arguments)
        #expect(first.changed)
        #expect(first.observed["tags"] == [.string(reference)])
        #expect(first.observed["size_bytes"] == 7)
        let second = try await bench.perform("image.import", arguments)
        #expect(!second.changed)
        #expect(second.observed["id"] == first.observed["id"])
        let listed = try await bench.perform("image.list", [:]).observed["images"]?.asArray ?? []
        #expect(listed.contains { $0["id"] == first.observed["id"] })
        let named: JSONObject = ["reference": .string(reference)]
        #expect(try await bench.perform("image.remove", named).changed)
        #expect(try await !bench.perform("image.remove", named).changed)
    }

    @Test func `a file that is no tar is refused with the engine's words`() async throws {
        let bench = try await Workbench()
        let folder = try ScratchFolder("image")
        let path = try folder.write([UInt8](repeating: 0x55, count: 100_000), to: "bad.tar")
        let reference = "innkeeper-test/\(Workbench.name("bad")):v1"
        let error = await #expect(throws: DriverError.self) {
            try await bench.perform("image.import", ["reference": .string(reference), "path": .string(path)])
        }
        #expect(error?.code == .failed)
        #expect(error?.cause?.isEmpty == false)
        for path in ["/tmp/innkeeper-not-there.tar", folder.path, "relative"] {
            let error = await #expect(throws: DriverError.self) {
                try await bench.perform("image.import", ["reference": .string(reference), "path": .string(path)])
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func `an image in use is not removed`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("user")
        try await bench.ensure(name)
        let error = await #expect(throws: DriverError.self) {
            try await bench.perform("image.remove", ["reference": .string(Workbench.image)])
        }
        #expect(error?.code == .conflict)
        try await bench.remove(name)
    }

    @Test func `an image that is there is not pulled, and a registry that is not there is unavailable`() async throws {
        let bench = try await Workbench()
        #expect(try await !bench.perform("image.pull", ["reference": .string(Workbench.image)]).changed)
        let error = await #expect(throws: DriverError.self) {
            try await bench.perform("image.pull", ["reference": "127.0.0.1:1/innkeeper/none:1"])
        }
        #expect(error?.code == .unavailable)
        #expect(error?.retryable == true)
    }

    @Test(arguments: [
        ("busybox", "busybox", "latest"), ("a/b:1", "a/b", "1"), ("host:5000/a/b", "host:5000/a/b", "latest"),
        ("host:5000/a:2", "host:5000/a", "2"),
    ])
    func `references fall into path and tag`(reference: String, path: String, tag: String) {
        let parts = DockerDriver.split(reference)
        #expect(parts.repository == path)
        #expect(parts.tag == tag)
    }
}
