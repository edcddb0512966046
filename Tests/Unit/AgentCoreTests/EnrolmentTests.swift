import AgentCore
import DaemonKit
import Glibc
import Model
import NIOPosix
import Testing
import TestSupport
import Transport
import WireProtocol

@Suite(.timeLimit(.minutes(2))) struct `Enrolment by the program` {
    @Test func `it enrols with a join token, and running it twice is safe`() async throws {
        let controller = try await ScriptedController()
        let authority = controller.authority
        controller.answerEnrolment { request in
            do {
                let csr = try CertificateSigningRequest(pem: request.csr)
                let certificate = try authority.issueNode(
                    csr: csr, nodeID: "node_7", validity: .seconds(86_400), now: Timestamp.now().milliseconds)
                return .enrolled(
                    Enrolled(
                        node: "node_7", certificate: certificate.pem, authority: authority.certificate.pem,
                        controllerName: "controller.test"))
            } catch { return .goodbye(Goodbye(code: .refused, message: "\(error)", retry: false)) }
        }
        let folder = try ScratchFolder("enrol")
        let token = try JoinToken.make(id: "t1", caPin: authority.certificate.publicKeyPin)
        let arguments = [
            "enrol", "--controller", controller.address, "--token", token.text, "--data", folder.file("data"),
        ]
        #expect(try await AgentProgram.runAside(arguments) == (0, "enrolled as node_7\n"))
        #expect(try await AgentProgram.runAside(arguments) == (0, "already enrolled as node_7\n"))
        var status = stat()
        stat(folder.file("data/identity.json"), &status)
        #expect(status.st_mode & 0o777 == 0o600)
        let program = try BackgroundProgram(
            AgentProgram.program, ["run", "--data", folder.file("data")], log: folder.file("log"))
        let hello = try await controller.wait("a hello (\(program.output))", { $0.hellos.first })
        #expect(hello.node == "node_7")
        program.signal(SIGTERM)
        #expect(try await AgentProgram.ended(program) == 0)
    }

    @Test func `a refused token and a controller with another key are told in one sentence`() async throws {
        let controller = try await ScriptedController()
        controller.answerEnrolment { _ in
            .goodbye(Goodbye(code: .refused, message: "the token has expired", retry: false))
        }
        let folder = try ScratchFolder("enrol")
        let pin = controller.authority.certificate.publicKeyPin
        func enrol(_ pin: String) async throws -> (Int32, String) {
            let token = try JoinToken.make(id: "t1", caPin: pin).text
            let data = folder.file("data")
            return try await AgentProgram.runAside([
                "enrol", "--controller", controller.address, "--token", token, "--data", data,
            ])
        }
        let expired = try await enrol(pin)
        #expect(expired == (1, "innkeeper-agent: the controller refused the enrolment: the token has expired\n"))
        let stranger = try await enrol(String(repeating: "ab", count: 32))
        #expect(stranger.0 == 1)
        #expect(stranger.1.contains("cannot be reached") && stranger.1.contains("certificate was refused"))
    }
}
