import Glibc

/// The descriptors of this process against its limit.
enum Descriptors {
    /// What the rest of the process may need at any moment: files of the store, and the runtime, which ends the process when
    /// it cannot look at its own threads.
    private static let reserve: Int32 = 48

    /// Whether less than the reserve is left. New descriptors get the lowest number that is free.
    static var areScarce: Bool {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return false }
        let next = dup(0)
        if next >= 0 { close(next) }
        let last = Int32(clamping: limit.rlim_cur)
        return next < 0 ? errno == EMFILE : next >= last - reserve
    }
}
