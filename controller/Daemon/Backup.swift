import ArgumentParser
import DaemonKit
import Glibc
import Model
import Store

/// `backup`: everything that a controller needs to live on elsewhere, in one file, also while it runs.
struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy store, authority and keys to one file, also while the controller runs.",
        discussion: "The file holds the keys of the authority: keep it as safe as the data folder.")

    @OptionGroup var location: DataOption
    @Argument(help: "The file to write.")
    var file: String
    @Flag(help: "Replace the file if it is there.")
    var force = false

    func run() async throws {
        do {
            try StateFiles.requireController(in: location.data)
            guard force || access(file, F_OK) != 0 else {
                throw ConfigurationError(
                    message:
                        "\(file) is there already, and nothing was written; name another file, or replace it with --force"
                )
            }
            let contents = BackupContents(takenAt: .now(), files: try KeptFiles.read(location.data))
            let report = try await Store.backup(
                from: "\(location.data)/controller.sqlite", to: file, with: contents, replacing: force)
            let seconds = Double(report.duration.wholeMilliseconds) / 1000
            let size = ByteCount(report.bytes).map { "\($0)" } ?? ""
            print("\(file): \(size) in \(seconds) s, checked")
        } catch {
            throw fail("\(error)")
        }
    }
}
