/// Something that must stay true. It takes no input, looks at the world, and puts right or reports what is not as it
/// should be. Doing it twice is doing it once; a round that failed is made up for by the next.
package protocol Reconciler: Sendable {
    var name: String { get }
    /// From the end of one round to the beginning of the next.
    var interval: Duration { get }
    func reconcile(_ dependencies: Dependencies) async throws
}
