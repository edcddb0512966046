import DaemonKit
import Glibc

/// The user whose the controller's folder is.
enum Owner {
    /// Gives up root for that user, whose rights are what matters, and so that looking leaves nothing of root's behind.
    /// Nil when there was nothing to give up.
    static func become(of folder: String) -> Remark? {
        var status = stat()
        guard geteuid() == 0, stat(folder, &status) == 0, status.st_uid != 0 else { return nil }
        guard setgroups(0, nil) == 0, setgid(status.st_gid) == 0, setuid(status.st_uid) == 0 else {
            let reason = String(cString: strerror(errno))
            return .wrong(
                "user", "root could not become user \(status.st_uid): \(reason)",
                advice: "run it as the user whose \(folder) is")
        }
        return .good("user", "looked as user \(status.st_uid), whose \(folder) is")
    }
}
