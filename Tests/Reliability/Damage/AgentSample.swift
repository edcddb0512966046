@testable import AgentCore
import DaemonKit
import Glibc
import Model
import SQL
import SQLite
import TestSupport
import Transport
import WireProtocol

/// An agent's journal and spool with something in them.
struct AgentSample {
    struct State {
        var epoch: String
        var receipts: [String: ReceiptState?]
        var reports: [Int64]
        var setAside: [String]
    }

    let folder: ScratchFolder
    let epoch: String
    let receipts: [String: ReceiptState?]
    let reports: [Int64]
    private static let ids = (0..<40).map { "op_\($0).container.1" }

    /// - Parameter killed: leaves the files as a killed process does, with their logs.
    init(killed: Bool = false) async throws {
        let living = try ScratchFolder("agent-living")
        folder = try ScratchFolder("agent")
        let files = try await StateFiles.open(in: living.path, spoolLimit: 1 << 20, now: .now())
        for (number, id) in Self.ids.enumerated() { try await Self.work(number, id, files) }
        let state = try await Self.state(of: files)
        (epoch, receipts, reports) = (state.epoch, state.receipts, state.reports)
        for name in ["journal.sqlite", "spool.sqlite"] {
            if !killed { try await name.hasPrefix("j") ? files.journal.checkpoint() : files.spool.checkpoint() }
            for suffix in ["", "-wal", ".tally"] { try folder.write(living.read(name + suffix), to: name + suffix) }
        }
    }

    private static func work(_ number: Int, _ id: String, _ files: StateFiles) async throws {
        let request = ReceiptRequest(
            id: id, digest: "d\(number)", resource: "docker/s\(number)", driver: "docker",
            operation: "container.ensure",
            generation: 2, isFromLostJournal: false, begins: true, time: .now())
        let result = CommandResult(id: id, status: .succeeded, changed: true, finished: 1)
        _ = try await files.journal.write([.admit(request)])
        _ = try await files.journal.write([.finish(id: id, result: result)])
        _ = try await files.spool.append(.metrics, time: .now()) { Array("report \($0)".utf8) }
    }

    /// Opens a copy of the files after harm was done to it.
    func reopen(_ harm: (ScratchFolder) throws -> Void) async throws -> State {
        let copy = try ScratchFolder("agent-harmed")
        for name in ["journal.sqlite", "spool.sqlite"] {
            for suffix in ["", "-wal", ".tally"] where access(folder.file(name + suffix), F_OK) == 0 {
                try copy.write(folder.read(name + suffix), to: name + suffix)
            }
        }
        try harm(copy)
        return try await Self.state(
            of: StateFiles.open(in: copy.path, spoolLimit: 1 << 20, now: Timestamp(milliseconds: 7)))
    }

    private static func state(of files: StateFiles) async throws -> State {
        var receipts: [String: ReceiptState?] = [:]
        for id in ids { receipts[id] = .some(try await files.journal.receipt(id)?.state) }
        let reports = try await files.spool.reports(.metrics, in: 0..<1000, limit: 1000).map(\.seq)
        return State(epoch: files.spool.epoch, receipts: receipts, reports: reports, setAside: files.setAside)
    }
}

extension Journal {
    func checkpoint() throws(SQLError) { try database.execute("PRAGMA wal_checkpoint(TRUNCATE)") }
}

extension SpoolFile {
    func checkpoint() throws(SQLError) { try database.execute("PRAGMA wal_checkpoint(TRUNCATE)") }
}

extension ScratchFolder {
    /// A data folder with the identity of node-1 in it.
    func identity() throws -> DataDirectory {
        let data = try DataDirectory(file("data"))
        let now = Timestamp.now().milliseconds
        let authority = try CertificateAuthority.create(commonName: "Test", days: 10, now: now)
        let key = try PrivateKey.generate()
        let request = try CertificateSigningRequest(
            pem: CertificateSigningRequest.make(key: key, commonName: "node-1"))
        let certificate = try authority.issueNode(csr: request, nodeID: "node-1", validity: .seconds(86_400), now: now)
        try NodeIdentity(
            node: "node-1", controller: "127.0.0.1:7443", serverName: "localhost", key: key, certificate: certificate,
            authority: authority.certificate
        ).store(in: data)
        return data
    }
}
