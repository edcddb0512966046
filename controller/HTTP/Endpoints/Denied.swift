package import APIModels

/// A call that is refused for who asks.
package struct Denied: Error {
    package let problem: Problem
    /// For the audit log.
    package let actor: String

    package init(_ problem: Problem, to caller: Caller) {
        self.problem = problem
        actor = caller.actor
    }

    /// 401.
    package init(_ detail: String, to caller: Caller? = nil) {
        problem = Problem(.unauthenticated, detail)
        actor = caller?.actor ?? "stranger"
    }
}
