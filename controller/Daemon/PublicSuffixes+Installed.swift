import ControllerCore
import DaemonKit
import Logging

extension PublicSuffixes {
    /// Of Debian's package publicsuffix.
    private static let path = "/usr/share/publicsuffix/public_suffix_list.dat"

    /// The list of this machine, as it is at the start; the built-in part where it has none, or none that can be read.
    static func installed(at path: String = path, logger: Logger) -> PublicSuffixes {
        do throws(FileError) {
            let text = String(decoding: try AtomicFile.read(path, limit: 16 << 20), as: UTF8.self)
            if let list = PublicSuffixes(list: text) { return list }
            logger.warning(
                "the list of public suffixes holds none: the built-in part is used", metadata: ["path": "\(path)"])
        } catch {
            logger.notice(
                "there is no list of public suffixes (Debian's package publicsuffix): the built-in part is used",
                metadata: ["reason": "\(error)"])
        }
        return builtIn
    }
}
