import Glibc

/// How many files and connections this process may have open.
package enum DescriptorLimit {
    /// Raises the soft limit to the hard one: each connection of a daemon takes a descriptor, and the usual soft limit of
    /// 1024 is there for old programs that use `select`. Returns the limit that holds now; 0 when it cannot be told.
    @discardableResult
    package static func raise() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return 0 }
        guard limit.rlim_cur < limit.rlim_max else { return Int(clamping: limit.rlim_cur) }
        var wanted = limit
        wanted.rlim_cur = limit.rlim_max
        return Int(clamping: setrlimit(resource, &wanted) == 0 ? wanted.rlim_cur : limit.rlim_cur)
    }
}
