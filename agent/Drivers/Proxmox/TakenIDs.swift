import DriverKit
import WireProtocol

/// An id that somebody has is no failure of the order: whoever gave it out notes that it is taken, and takes the next.
enum TakenIDs {
    private static let makings: Set<String> = ["container.create", "container.clone", "container.restore"]

    /// The same error, with `exists` among what was found where the id of something new is another's, whatever it is and
    /// wherever in the cluster.
    static func noting(_ error: DriverError, of call: ActionCall) -> DriverError {
        guard makings.contains(call.action), !error.changed,
            error.code == .foreign || error.message.hasPrefix("the id is taken")
        else { return error }
        return error.observing(["exists": true])
    }
}
