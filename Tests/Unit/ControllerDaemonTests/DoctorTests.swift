import DaemonKit
import Glibc
import Store
import TestSupport
import Testing

@testable import innkeeper_controller

@Suite struct `The controller's doctor` {
    /// What `init` leaves behind.
    private func initialised() async throws -> (ScratchFolder, String) {
        let folder = try ScratchFolder("doctor")
        let data = folder.file("data")
        let files = StateFiles(try DataDirectory(data))
        await (try await files.openStore()).close()
        try files.createAuthority(names: ["hotel.example"]) {}
        return (folder, data)
    }

    private func diagnose(_ folder: ScratchFolder, _ data: String, _ settings: String? = nil) throws -> Diagnosis {
        let free = #"{"api": "127.0.0.1:0", "agents": "127.0.0.1:0"}"#
        let file = try folder.write(Array((settings ?? free).utf8), to: "controller.json")
        var diagnosis = Diagnosis()
        var doctor = Doctor()
        (doctor.data, doctor.config) = (data, file)
        doctor.examine(&diagnosis)
        return diagnosis
    }

    private func remark(_ diagnosis: Diagnosis, _ subject: String) -> Remark? {
        diagnosis.remarks.first { $0.subject == subject }
    }

    @Test func `finds nothing wrong with a fresh controller, and changes nothing`() async throws {
        let (folder, data) = try await initialised()
        let diagnosis = try diagnose(folder, data)
        #expect(remark(diagnosis, "authority")?.verdict == .good, "\(diagnosis)")
        #expect(remark(diagnosis, "keys")?.verdict == .good, "\(diagnosis)")
        #expect(remark(diagnosis, "store")?.text == "opens and is sound, schema \(Store.newestSchema)")
        #expect(remark(diagnosis, "server certificate")?.text.contains("hotel.example") == true, "\(diagnosis)")
        #expect(remark(diagnosis, "port of the API")?.verdict == .good, "\(diagnosis)")
    }

    @Test func `looks at a store that is in use`() async throws {
        let (folder, data) = try await initialised()
        let store = try await StateFiles(try DataDirectory(data)).openStore()
        #expect(remark(try diagnose(folder, data), "store")?.verdict == .good)
        await store.close()
    }

    @Test func `names a key that others may read, one that does not fit, and a file that is gone`() async throws {
        let (folder, data) = try await initialised()
        chmod("\(data)/ca.key", 0o640)
        #expect(remark(try diagnose(folder, data), "keys")?.text.contains("ca.key") == true)
        chmod("\(data)/ca.key", 0o600)
        #expect(rename("\(data)/server.key", "\(data)/ca.key") == 0)
        #expect(remark(try diagnose(folder, data), "authority")?.verdict == .wrong)
        unlink("\(data)/ca.key")
        #expect(remark(try diagnose(folder, data), "state")?.text.contains("ca.key is missing") == true)
    }

    @Test func `says that a store is damaged`() async throws {
        let (folder, data) = try await initialised()
        let file = open("\(data)/controller.sqlite", O_RDWR)
        let rubbish = [UInt8](repeating: 0xA5, count: 4096)
        for page in 1...4 { _ = pwrite(file, rubbish, rubbish.count, page * 4096) }
        close(file)
        let diagnosis = try diagnose(folder, data)
        #expect(remark(diagnosis, "store")?.verdict == .wrong, "\(diagnosis)")
        #expect(!diagnosis.isWell)
    }

    @Test func `says that a port is taken, by itself or by another`() async throws {
        let (folder, data) = try await initialised()
        let server = try ScriptedServer { _ in [] }
        defer { server.stop() }
        let taken = server.url.split(separator: ":").last ?? ""
        let settings = #"{"api": "127.0.0.1:\#(taken)", "agents": "127.0.0.1:0"}"#
        #expect(remark(try diagnose(folder, data, settings), "port of the API")?.verdict == .wrong)
        let held = try DataDirectory(data)
        #expect(remark(try diagnose(folder, data, settings), "port of the API")?.verdict == .good)
        withExtendedLifetime(held) {}
    }

    @Test func `says that a machine has no such address, and that too few may connect`() {
        let elsewhere = PortRemark.examine(Address(host: "192.0.2.1", port: 7443), for: "agents", holder: nil)
        #expect(elsewhere.verdict == .wrong && elsewhere.text == "this machine has no address 192.0.2.1")
        #expect(DescriptorRemark.examine(1024).verdict == .wrong)
        #expect(DescriptorRemark.examine(65_536).verdict == .good)
    }

    @Test func `without a controller it says how to make one`() throws {
        let folder = try ScratchFolder("doctor")
        let diagnosis = try diagnose(folder, folder.file("none"))
        #expect(remark(diagnosis, "data")?.advice?.contains("innkeeper-controller init") == true, "\(diagnosis)")
    }
}
