import DaemonKit
import Glibc
import Logging
import ServiceLifecycle
import Store

/// Writes down beside the store how far it has come, and looks at a start whether it still has.
///
/// SQLite cannot tell a store whose write-ahead log was lost from one that never had it: it would serve what was true some
/// time ago. So does an old copy of the file that somebody put in its place.
struct StoreWitness: Service {
    let store: Store
    let path: String
    let logger: Logger
    private static let interval = Duration.seconds(5)

    /// Throws when the store is behind its mark, or is another one than the mark speaks of.
    func check() async throws {
        let found = try await store.mark()
        guard let last = try Self.read(path), last != found else { return }
        if last.epoch == found.epoch, last.number <= found.number { return }
        let file = store.path
        throw ConfigurationError(
            message: "\(file) is older than it was when the controller last ran: commits are missing, because "
                + "\(file)-wal was lost or damaged, or because an older copy was put in its place; nothing was changed. "
                + "Bring in a backup with innkeeper-controller restore, or go on with what is there: "
                + "innkeeper-controller recover --data \(AtomicFile.folder(of: path))")
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await write()
                try? await Task.sleep(for: Self.interval)
            }
        }
        await write()
    }

    /// After the commit, so that the mark never runs ahead of the store.
    func write() async {
        do {
            try Self.write(try await store.advanceMark(), to: path)
        } catch {
            logger.error("the store's mark could not be written", metadata: ["file": "\(path)", "error": "\(error)"])
        }
    }

    static func write(_ mark: StoreMark, to path: String) throws(FileError) {
        try AtomicFile.write(Array("\(mark.epoch) \(mark.number)\n".utf8), to: path)
    }

    /// Nil where there is none yet. A mark that cannot be read says nothing, so that it must not pass.
    private static func read(_ path: String) throws -> StoreMark? {
        let bytes: [UInt8]
        do throws(FileError) { bytes = try AtomicFile.read(path, limit: 4096) } catch {
            guard error.isMissing else { throw error }
            return nil
        }
        let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let number = Int64(words[1]) else {
            throw ConfigurationError(message: "\(path) is damaged; if the store beside it is sound, remove it")
        }
        return StoreMark(epoch: String(words[0]), number: number)
    }
}
