import ArgumentParser
import ControllerCore
import DaemonKit
import Glibc
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
            let key = try await FirstKey.make(in: store)
            try files.createAuthority(names: name) { try announce(key, files) }
            await store.close()
        } catch {
            throw fail("\(error)")
        }
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
