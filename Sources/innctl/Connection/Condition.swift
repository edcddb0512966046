import HTTPFetch

/// What must still be so in the moment of a change, so that nobody's parallel change is lost.
struct Condition: Sendable, Hashable {
    /// `plan small`.
    let thing: String
    /// The entity tag of the state that it was in; nil where there was nothing.
    let tag: String?

    func state(in request: inout HTTPRequest) {
        if let tag { request.headers["If-Match"] = tag } else { request.headers["If-None-Match"] = "*" }
    }

    /// Why nothing was changed where it is not so any more.
    var broken: Failure { Failure(.conflict, "\(thing) was changed meanwhile; look again, then repeat the command") }
}

/// What was seen, and how to say that it must be the same still.
struct Sighting<Thing: Sendable>: Sendable {
    let found: Thing?
    let condition: Condition
}
