import API
import APIModels
import ArgumentParser
import DaemonKit
import Glibc
import Model
import Store

/// `init`: the store, the authority, the server's certificate and the first admin key.
struct Initialise: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make the store, the certificate authority and the first admin key.")

    @OptionGroup var location: DataOption
    @Option(name: .long, help: "Write the admin key to this file (0600) instead of printing it.")
    var keyFile: String?
    @Option(name: .long, help: "A DNS name or IP address by which agents and users reach the controller; repeatable.")
    var name: [String] = []

    func run() async throws {
        do {
            Daemon.closeToOthers()
            let directory = try DataDirectory(location.data)
            let files = StateFiles(directory)
            try await files.requireNoController()
            // The authority's files are written last: until they are there, init may be run again.
            let store = try await files.openStore()
            let key = try await firstKey(store)
            try files.createAuthority(names: name) { try announce(key, files) }
            await store.close()
        } catch {
            throw fail("\(error)")
        }
    }

    /// The keys of an init that was cut short are revoked: nobody has seen them.
    private func firstKey(_ store: Store) async throws -> KeyText {
        let now = Timestamp.now()
        let key = KeyText.make()
        let record = key.record(name: "first admin key", scopes: [Scope.admin.rawValue], createdAt: now)
        let audit = AuditRecord(
            id: Identifier.make("aud"), time: now, actor: "init", action: "key.create", subject: key.id)
        try await store.atomically { (store: isolated Store) throws(StoreError) in
            for old in try store.keys().items where old.revokedAt == nil { _ = try store.revokeKey(old.id, at: now) }
            try store.insertKey(record)
            try store.audit(audit)
        }
        return key
    }

    private func announce(_ key: KeyText, _ files: StateFiles) throws {
        print("store      \(files.store)")
        print("authority  \(files.authorityCertificate)")
        if let keyFile {
            try AtomicFile.write(Array("\(key.text)\n".utf8), to: keyFile)
            print("admin key  in \(keyFile)")
        } else {
            print("admin key  \(key.text)")
            print("           It is shown this once; keep it safe.")
        }
    }
}
