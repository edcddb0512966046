package import Model

extension Store {
    /// The measured load of nodes, 0 (idle) to 1 (busy), from samples that are no older than five minutes; others are
    /// absent.
    package func measuredLoads(at now: Timestamp) -> [String: Double] { loads.fresh(at: now) }
}
