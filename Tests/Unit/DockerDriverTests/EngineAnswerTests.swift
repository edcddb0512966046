import DriverKit
import Logging
import TestSupport
import Testing
import WireProtocol

@testable import DockerDriver

/// Answers of an engine that once were taken for something else.
@Suite struct EngineAnswerTests {
    @Test func `the name with one slash is the container's, the others are its links'`() throws {
        let text = #"{"Id":"a","Names":["/hydra2/sabnzbd","/sabnzbd"],"State":"running"}"#
        #expect(ContainerEntry(try JSONParser.parse(Array(text.utf8)))?.name == "sabnzbd")
        #expect(ContainerEntry(["Id": "a", "Names": ["/one"]])?.name == "one")
    }

    @Test func `Podman is told from Docker before anything is made`() async throws {
        let folder = try ScratchFolder("podman")
        let version =
            #"{"Platform":{"Name":"linux/amd64/debian-12"},"Components":[{"Name":"Podman Engine","Version":"4.3.1"}],"#
            + #""Version":"4.3.1","ApiVersion":"1.41","MinAPIVersion":"1.24"}"#
        let server = try ScriptedServer(unixSocket: folder.file("podman.sock")) { _ in [.respond(200, version)] }
        let driver = DockerDriver(socket: folder.file("podman.sock"))
        let call = ActionCall(
            action: "container.ensure", resource: "docker/shop", arguments: ["name": "shop", "image": "a:1"])
        let error = await #expect(throws: DriverError.self) { try await driver.perform(call, Record().context) }
        #expect(error?.code == .unsupported, "\(String(describing: error))")
        #expect(error?.message.contains("Podman") == true)
        #expect(server.requests.allSatisfy { $0.line.contains("/version") })
        #expect(await DockerDriver.detect(socket: folder.file("podman.sock")) == nil)
    }
}
