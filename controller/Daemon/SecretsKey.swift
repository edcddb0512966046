import ArgumentParser
import DaemonKit
import Store
import Transport

extension StateFiles {
    var secretsKey: String { directory.file("secrets.key") }

    /// Opens the store with the keys of its secrets. What lies in clear or under an older key is sealed anew, and older
    /// keys are thrown away once nothing lies under them.
    func openStore(_ options: StoreOptions = StoreOptions()) async throws -> Store {
        let keys = try await keyring(options)
        var options = options
        options.seal = ColumnSeal(keys)
        let opened = try Store(path: store, options: options)
        try await opened.sealRows()
        if keys.hasOld { try write(keys.withoutOld()) }
        return opened
    }

    /// Puts a new key in front; the next `openStore` seals everything under it.
    func renewSecretsKey() async throws { try write(try await keyring(StoreOptions(mustExist: true)).renewed()) }

    /// The keys of the file, which is made when it is missing and nothing in the store needs it.
    private func keyring(_ options: StoreOptions) async throws -> Keyring {
        do { return try Keyring(text: PEMFile.readKey(secretsKey)) } catch let error as PEMFileError {
            guard error.isMissing else { throw error }
        }
        let plain = try Store(path: store, options: options)
        let isNeeded = try await plain.isSealed()
        await plain.close()
        guard !isNeeded else {
            throw ConfigurationError(
                message: "\(secretsKey) is missing: without it what the store has sealed cannot be read; "
                    + "put it back, it is in every backup")
        }
        let keys = Keyring.generate()
        try write(keys)
        return keys
    }

    private func write(_ keys: Keyring) throws { try PEMFile.write(keys.text, to: secretsKey) }
}

extension ColumnSeal {
    /// Of a backup's own keys; nil when it holds none, being older than they are.
    init?(of files: [BackupContents.File]) throws {
        guard let file = files.first(where: { $0.name == "secrets.key" }) else { return nil }
        self.init(try Keyring(text: String(decoding: file.bytes, as: UTF8.self)))
    }

    init(_ keys: Keyring) {
        self.init(
            key: keys.current, seal: { clear, place in try keys.seal(clear, for: place) },
            open: { sealed, place in try keys.open(sealed, for: place) })
    }
}

/// `renew-key`: a new key for the secrets in the store.
struct RenewKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew-key", abstract: "Seal the secrets in the store under a new key.",
        discussion: "The controller must not be running. Backups that were made before hold the key they need.")

    @OptionGroup var location: DataOption

    func run() async throws {
        do {
            Daemon.closeToOthers()
            try StateFiles.requireController(in: location.data)
            let files = StateFiles(try DataDirectory(location.data))
            _ = try files.checkModes()
            try await files.renewSecretsKey()
            await (try await files.openStore(StoreOptions(mustExist: true))).close()
            print("the secrets in \(files.store) are sealed under a new key")
        } catch {
            throw fail("\(error)")
        }
    }
}
