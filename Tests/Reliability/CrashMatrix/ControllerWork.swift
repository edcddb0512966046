import Processes
import SiteSupport
import Store
import TestSupport
import Transport

/// `innkeeper-controller init`.
struct InitialisingWork: FileWork {
    let folder: ScratchFolder
    let subject = "controller init"

    private func data(_ number: Int) -> String { folder.file("init-\(number)/controller") }
    private func key(_ number: Int) -> String { folder.file("init-\(number)/admin.key") }
    private func words(_ number: Int) -> [String] { ["init", "--data", data(number), "--key-file", key(number)] }

    func prepare(_ number: Int) async throws -> String {
        makeFolder(folder.file("init-\(number)"))
        return folder.file("init-\(number)")
    }

    func attempt(_ number: Int, _ trap: Trap) async throws {
        try await Ground.run(trap, "innkeeper-controller", words(number))
    }

    /// Either it says that all is there, or it does it; afterwards there is one whole controller with one key.
    func faults(_ number: Int) async throws -> [String] {
        let again = try await Programs.run("innkeeper-controller", words(number))
        guard again.succeeded || again.errorText.contains("holds a controller already") else {
            return ["init: \(again.errorText)"]
        }
        let authority = try CertificateAuthority(
            certificatePEM: PEMFile.read("\(data(number))/ca.pem"), keyPEM: PEMFile.readKey("\(data(number))/ca.key"))
        let server = try Certificate(pem: PEMFile.read("\(data(number))/server.pem"))
        let serverKey = try PrivateKey(pem: PEMFile.readKey("\(data(number))/server.key"))
        var faults: [String] = []
        if !serverKey.matches(server) { faults.append("the server's key is another certificate's") }
        if authority.certificate.subject.isEmpty { faults.append("the authority has no name") }
        return faults + (try await keyFaults(number)) + leftovers(number)
    }

    private func keyFaults(_ number: Int) async throws -> [String] {
        let text = String(decoding: try folder.read("init-\(number)/admin.key"), as: UTF8.self)
        let store = try Store(path: "\(data(number))/controller.sqlite")
        let keys = try await store.keys().items.filter { $0.revokedAt == nil }
        await store.close()
        guard keys.count == 1, text.contains(keys[0].id) else { return ["\(keys.count) keys, the file has \(text)"] }
        return []
    }

    private func leftovers(_ number: Int) -> [String] {
        let known: Set = [
            "ca.key", "ca.pem", "controller.sqlite", "lock", "secrets.key", "server.key", "server.names", "server.pem",
        ]
        return Ground.files(in: data(number)).filter { !known.contains($0) && !$0.hasPrefix("controller.sqlite-") }
            .map { "\($0) is left over" }
    }
}

/// `innkeeper-controller backup`, while the controller runs.
struct BackupWork: FileWork {
    let installation: Installation
    let subject = "controller backup"

    private func words(_ number: Int) -> [String] {
        ["backup", "--data", installation.folder.file("controller"), target(number)]
    }
    private func target(_ number: Int) -> String { installation.folder.file("backup-\(number)/copy.sqlite") }

    func prepare(_ number: Int) async throws -> String {
        makeFolder(installation.folder.file("backup-\(number)"))
        return installation.folder.file("backup-\(number)")
    }

    func attempt(_ number: Int, _ trap: Trap) async throws {
        try await Ground.run(trap, "innkeeper-controller", words(number))
    }

    /// What bears the name is whole. Without it, the same order makes it.
    func faults(_ number: Int) async throws -> [String] {
        let isThere = Ground.files(in: installation.folder.file("backup-\(number)")).contains("copy.sqlite")
        if !isThere {
            let again = try await Programs.run("innkeeper-controller", words(number))
            guard again.succeeded else { return ["backup: \(again.errorText)"] }
        }
        let unpacked = installation.folder.file("unpacked-\(number).sqlite")
        try await Store.unpack(backup: target(number), to: unpacked)
        let store = try Store(path: unpacked)
        let keys = try await store.keys().items.count
        await store.close()
        return keys > 0 ? [] : ["the copy has no keys"]
    }
}

/// The controller's first start: what `serve` makes for itself.
struct FirstServing: FileWork {
    let subject = "controller first start"
    let isSteady = false
    private let installations = Installations()

    func prepare(_ number: Int) async throws -> String {
        let installation = try await Installation("serving")
        await installations.add(installation, number)
        return installation.folder.file("controller")
    }

    func attempt(_ number: Int, _ trap: Trap) async throws {
        let installation = try await installations.one(number)
        installation.controller.wrap(in: trap.wrapper())
        try installation.controller.start()
        _ = await eventually(within: .seconds(60)) {
            if trap.hasSprung { return true }
            return await installation.front.isReady()
        }
        await installation.controller.kill()
        installation.controller.wrap(in: [])
    }

    func faults(_ number: Int) async throws -> [String] {
        let installation = try await installations.one(number)
        defer { Task { await installations.remove(number) } }
        try await installation.open()
        await installation.stop()
        return []
    }
}

/// Installations by the number of their point.
actor Installations {
    private var all: [Int: Installation] = [:]

    func add(_ installation: Installation, _ number: Int) { all[number] = installation }
    func remove(_ number: Int) { all[number] = nil }

    func one(_ number: Int) throws -> Installation {
        guard let installation = all[number] else { throw SetupFailure("there is no installation \(number)") }
        return installation
    }
}
