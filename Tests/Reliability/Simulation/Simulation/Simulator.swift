import Glibc
import Logging
import Takeover

/// `innkeeper-simulate`: many seeds in processes of their own, or one seed with its whole trace.
///
///     innkeeper-simulate [--seeds N] [--first N] [--seed N] [--plant NAME] [--jobs N] [--twice] [--keep-going]
package enum Simulator {
    package static func main() -> Never {
        takeover_fix_process(CommandLine.unsafeArgv)
        let wishes: Wishes
        do throws(WishError) { wishes = try Wishes(Array(CommandLine.arguments.dropFirst())) } catch {
            print("\(error.text)")
            exit(2)
        }
        guard takeover_mount() else { fatalError("SQLite takes no file system") }
        LoggingSystem.bootstrap { TraceLog(label: $0) }
        let folder = "/tmp/innkeeper-simulate-\(getpid())"
        mkdir(folder, 0o700)
        guard let identities = try? Identities(in: folder) else { fatalError("no certificates") }
        // Only databases are simulated. What agents keep in plain files beside them would last from one world to another.
        Folder.remove(folder)
        let code: Int32
        if let seed = wishes.seed {
            code = Replay(seed: seed, wishes: wishes, identities: identities).run()
        } else {
            code = Campaign(wishes: wishes, identities: identities).run()
        }
        exit(code)
    }
}

/// Removes the few files that the agents' folders hold.
private enum Folder {
    static func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { remove("\(path)/\(name)") }
            }
            closedir(directory)
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

/// The log lines of agents and controller, as part of the trace.
struct TraceLog: LogHandler {
    let label: String
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    var logLevel: Logger.Level {
        get { Scheduler.shared.trace.isPrinting ? .debug : .critical }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guard Scheduler.shared.trace.isPrinting else { return }
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let words = all.map { " \($0.key)=\($0.value)" }.joined()
        Scheduler.shared.trace.line(at: Scheduler.shared.now, label, "[\(event.level)] \(event.message)\(words)")
    }
}
