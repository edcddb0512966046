import CLinux

/// What the agent gives back to its node: it is there for the guests, not for itself.
enum Footprint {
    /// Before other threads run.
    static func prepare() { linux_malloc_one_arena() }

    /// Gives back, as often as a round of samples is taken, what only other moments need: the code of the start and of each
    /// round lies everywhere in the program, and a page that is touched brings the fifteen around it along.
    static func keepSmall() async {
        while (try? await Task.sleep(for: .seconds(10), tolerance: .seconds(1))) != nil {
            _ = linux_malloc_trim()
            linux_release_code()
        }
    }
}
