import ControllerCore
import DaemonKit
import Glibc
import Model
import Store

/// A data folder that takes in a backup in two moves: everything is written beside its place first, then what was there
/// goes aside and the new files take their names. A crash in between loses nothing, and the restore can be run again.
struct RestoredFolder {
    private let directory: DataDirectory
    private static let stagedSuffix = ".restoring"
    private static let storeNames = ["controller.sqlite", "controller.sqlite-wal", "controller.sqlite-shm"]
    private static let markName = "controller.mark"

    init(_ directory: DataDirectory) { self.directory = directory }

    private func staged(_ name: String) -> String { directory.file(name + Self.stagedSuffix) }

    /// Writes the new files beside the old ones. Throws, with nothing changed, when they do not fit.
    /// - Returns: how many operations were unfinished.
    func stage(_ backup: String, _ files: [BackupContents.File], _ takenAt: Timestamp) async throws -> Int {
        do {
            try await Store.unpack(backup: backup, to: staged("controller.sqlite"))
            let store = try Store(
                path: staged("controller.sqlite"), options: StoreOptions(mustExist: true, seal: ColumnSeal(of: files)))
            let unfinished = try await Restoration.settle(store, .shipped, takenAt: takenAt, at: .now())
            try StoreWitness.write(try await store.advanceMark(), to: staged(Self.markName))
            await store.close()
            for file in files { try AtomicFile.write(file.bytes, to: staged(file.name), mode: file.mode) }
            return unfinished
        } catch {
            for name in Self.storeNames + files.map(\.name) + [Self.markName] { unlink(staged(name)) }
            for suffix in ["-wal", "-shm"] { unlink(staged("controller.sqlite") + suffix) }
            throw error
        }
    }

    /// Puts the new files in the place of the old ones. Returns the folder of the old ones, nil where there were none.
    func swap(_ files: [BackupContents.File]) throws(FileError) -> String? {
        let old = try (Self.storeNames + [Self.markName] + KeptFiles.names(in: directory.path)).filter {
            access(directory.file($0), F_OK) == 0
        }
        let aside = directory.file("before-restore-\(Timestamp.now().milliseconds)")
        if !old.isEmpty {
            guard mkdir(aside, 0o700) == 0 else { throw FileError("create", aside) }
            for name in old { try move(directory.file(name), to: "\(aside)/\(name)") }
        }
        // The certificate of the authority is the mark of a whole controller: it comes last.
        let names = files.map(\.name).filter { $0 != "ca.pem" } + [Self.markName, "controller.sqlite", "ca.pem"]
        for name in names { try move(staged(name), to: directory.file(name)) }
        try AtomicFile.syncDirectory(of: directory.file("lock"))
        return old.isEmpty ? nil : aside
    }

    private func move(_ source: String, to target: String) throws(FileError) {
        guard rename(source, target) == 0 else { throw FileError("move \(source) to", target) }
    }
}
