/// How a connection is opened.
package struct SQLiteOptions: Sendable {
    package enum Access: Sendable {
        case readWriteCreate
        case readWrite
        case readOnly
    }

    /// What a commit waits for.
    package enum Synchronous: String, Sendable {
        /// The commit is on the disk when it returns, also after a power failure.
        case full = "FULL"
        /// A power failure may take the last commits back; the file stays sound.
        case normal = "NORMAL"
        case off = "OFF"
    }

    package var access: Access
    /// How long a call waits for another connection's lock before it throws `busy`.
    package var busyTimeout: Duration
    package var synchronous: Synchronous
    /// Reads the whole file at open and throws `corrupt` with the first finding. Time grows with the file.
    package var quickCheck: Bool
    /// The most pages that the file may have, for a bounded file; a write past it throws `full`.
    package var maximumPages: Int?
    /// Memory for pages, in KiB.
    package var cacheKiB: Int

    package init(
        access: Access = .readWriteCreate, busyTimeout: Duration = .seconds(5), synchronous: Synchronous = .full,
        quickCheck: Bool = false, maximumPages: Int? = nil, cacheKiB: Int = 2048
    ) {
        self.access = access
        self.busyTimeout = busyTimeout
        self.synchronous = synchronous
        self.quickCheck = quickCheck
        self.maximumPages = maximumPages
        self.cacheKiB = cacheKiB
    }
}
