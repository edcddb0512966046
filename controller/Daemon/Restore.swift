import ArgumentParser
import ControllerCore
import DaemonKit
import Glibc
import Model
import Store

/// `restore`: a backup becomes the controller of a data folder. What was there is kept aside.
struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a backup the controller of a data folder; what was there is kept aside.",
        discussion: "The controller must not be running. Nothing is touched before the backup has been checked.")

    @OptionGroup var location: DataOption
    @Argument(help: "A file that `backup` has written.")
    var file: String

    func run() async throws {
        do {
            let contents = try await Store.examine(backup: file)
            let files = contents.files.filter { KeptFiles.isKept($0.name) }
            let folder = RestoredFolder(try DataDirectory(location.data))
            let unfinished = try await folder.stage(file, files, contents.takenAt)
            let aside = try folder.swap(files)
            print("restored the backup of \(contents.takenAt.iso8601) by version \(contents.version)")
            if let aside { print("what was there is in \(aside)") }
            print("operations that were unfinished then: \(unfinished)")
            print("join tokens are revoked. Revoke again the API keys and nodes that were revoked since;")
            print("nodes that were enrolled since must be enrolled again. Then start the controller.")
        } catch {
            throw fail("\(error)")
        }
    }
}

/// `recover`: goes on with a store that has lost commits, as with a backup.
struct Recover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Go on with a store that is older than it was; agents are then treated as after a restore.")

    @OptionGroup var location: DataOption

    func run() async throws {
        do {
            try StateFiles.requireController(in: location.data)
            let files = StateFiles(try DataDirectory(location.data))
            let store = try await files.openStore(StoreOptions(mustExist: true))
            let now = Timestamp.now()
            let unfinished = try await Restoration.settle(store, .shipped, takenAt: now, at: now)
            try StoreWitness.write(try await store.advanceMark(), to: files.mark)
            await store.close()
            print("the store is fit for use; operations that were unfinished: \(unfinished)")
            print("join tokens are revoked. Then start the controller.")
        } catch {
            throw fail("\(error)")
        }
    }
}
