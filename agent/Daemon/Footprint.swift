import CLinux

/// What the agent gives back to its node: it is there for the guests, not for itself.
enum Footprint {
    /// Before other threads run.
    static func prepare() { linux_malloc_one_arena() }

    /// Gives back what starting up took and the rounds that follow do not use, then the same once an hour.
    static func keepSmall() async {
        var wait = Duration.seconds(12)
        while (try? await Task.sleep(for: wait, tolerance: .seconds(2))) != nil {
            _ = linux_malloc_trim()
            linux_release_code()
            wait = .seconds(3600)
        }
    }
}
