import HTTPFetch
import APIModels
import Glibc
import Model
import Processes
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension Secrets {
    /// The key of the secrets in the store: made, missed, renewed.
    @Suite struct KeyFileTests {
        private let plan =
            #"{"image":"i","memory_bytes":67108864,"cpu_millis":100,"disk_bytes":67108864,"env":{"A":"VALUE"}}"#

        private func installation(_ value: String) async throws -> Installation {
            let installation = try await Installation("keys")
            try await installation.open()
            let body = plan.split(separator: "VALUE").joined(separator: value)
            let response = try await installation.front.send("PUT", "/api/v1/plans/p", body)
            #expect(response.status == 200)
            return installation
        }

        private func holds(_ installation: Installation, _ value: String) throws -> Bool {
            try !Search(needles: [Needle("value", value)])
                .found(in: installation.folder.read("controller/controller.sqlite")).isEmpty
        }

        @Test func `without the key the controller does not start and says where it is to be found`() async throws {
            let installation = try await installation(Needle.value("lost"))
            await installation.controller.stop()
            let key = try installation.folder.read("controller/secrets.key")
            unlink(installation.folder.file("controller/secrets.key"))
            let outcome = try await Programs.run(
                "innkeeper-controller",
                [
                    "serve", "--data", installation.folder.file("controller"), "--api", "127.0.0.1:0", "--agents",
                    "127.0.0.1:0",
                ])
            #expect(
                outcome.exit == .code(1) && outcome.errorText.contains("secrets.key is missing"), "\(outcome.errorText)"
            )
            #expect(outcome.errorText.contains("backup"))
            try installation.folder.write(key, to: "controller/secrets.key")
            try await installation.open()
            let read: Plan = try await installation.front.get("/api/v1/plans/p")
            #expect(read.spec["env"]?["A"] == "********")
            await installation.stop()
        }

        @Test func `a renewed key replaces the old one, and everything is read as before`() async throws {
            let value = Needle.value("renewed")
            let installation = try await installation(value)
            let running = try await Programs.run(
                "innkeeper-controller", ["renew-key", "--data", installation.folder.file("controller")])
            #expect(running.exit == .code(1) && running.errorText.contains("is running on it"), "\(running.errorText)")
            await installation.controller.stop()
            let before = try installation.folder.read("controller/secrets.key")
            let renewed = try await Programs.run(
                "innkeeper-controller", ["renew-key", "--data", installation.folder.file("controller")])
            #expect(renewed.succeeded, "\(renewed.errorText)")
            let after = try installation.folder.read("controller/secrets.key")
            #expect(after != before && after.count == before.count)
            #expect(try !holds(installation, value))
            try await installation.open()
            // A plan that says the same makes no revision: so the stored one was read in clear.
            let body = plan.split(separator: "VALUE").joined(separator: value)
            let response = try await installation.front.send("PUT", "/api/v1/plans/p", body)
            #expect(String(decoding: response.body, as: UTF8.self).contains(#""revision":1"#))
            await installation.stop()
        }
    }
}
