import DaemonKit
import Glibc

extension StateFiles {
    /// Checks who may touch the files, before any is read. Returns what had to be put right, one sentence each.
    ///
    /// A key that cannot be replaced (the authority's, that of the secrets) is refused when it was open to others:
    /// somebody must decide what that means. A key that can be replaced is. The store is closed to others again.
    func checkModes() throws(FileError) -> [String] {
        var findings: [String] = []
        for path in [authorityKey, secretsKey] where access(path, F_OK) == 0 { try FileMode.requirePrivate(path) }
        for path in [serverKey, ticketsKey] where try isOpenToOthers(path) {
            try AtomicFile.remove(path)
            findings.append("\(path) was open to others and is replaced by a new key")
        }
        for path in [store, store + "-wal", store + "-shm"] where try FileMode.tighten(path) {
            findings.append("\(path) was open to others; its mode is 600 now")
        }
        return findings
    }

    private func isOpenToOthers(_ path: String) throws(FileError) -> Bool {
        do throws(FileError) { try FileMode.requirePrivate(path) } catch { return !error.isMissing }
        return false
    }
}
