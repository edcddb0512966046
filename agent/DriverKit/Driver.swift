package import WireProtocol

/// The hands of the agent for one technology of the node: what it can do, what it sees, what it counts.
///
/// A driver is found by looking at the machine (its own `detect`), never throws while sampling, and is told of
/// deadlines and cancellations by the cancellation of the task that runs it; whoever runs it knows which of the two it was.
package protocol Driver: Sendable {
    /// Short name, first part of every action's policy name: `docker`.
    static var name: String { get }
    /// Version of the technology, as it says itself; `unknown` where it does not say.
    var version: String { get }
    /// The actions this node's version of the technology can do.
    var actions: [ActionSpec] { get }
    /// How many changes may run at once on this node; changes of one resource are serialised by the caller in any case.
    var concurrency: Int { get }
    /// How many looks may run at once, beside the changes and whatever these do.
    var looks: Int { get }

    /// What it needs on the node beside what it was found by, and whether it is there now. Changes nothing; for people.
    func needs() async -> [Need]
    /// Why the technology is not there now, as a clause; nil while it is. Asked about twice a minute, so it must be cheap.
    func absence() async -> String?
    /// Told once, before anything else: commands of earlier lives of the agent that did not succeed, and that no later
    /// success of the same action on the same resource has made good. What the technology still does of them is nobody's.
    func recover(_ abandoned: [AbandonedCommand]) async
    /// What placement needs to know of this node (pools with their sizes, engine limits). Asked at each connection.
    func facts() async -> JSONObject
    /// Does one action. Ensure-style: looks, acts, looks again, and reports what is.
    func perform(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome
    /// Everything this driver owns or sees on the node.
    func inventory() async throws(DriverError) -> [InventoryItem]
    /// Appends the current metrics; a source that cannot be read is absent. Must be cheap.
    func sample(into batch: inout SampleBatch) async
    /// Counters that only grow within their epoch and that invoices are made of.
    func usage() async -> [UsageCounter]
    /// Reports what happens without being asked; runs until its task is cancelled.
    func events(_ emit: @escaping @Sendable (DriverEvent) -> Void) async
}

extension Driver {
    package var looks: Int { max(4, concurrency) }
    package func needs() async -> [Need] { [] }
    package func absence() async -> String? { nil }
    package func recover(_ abandoned: [AbandonedCommand]) async {}
    package func facts() async -> JSONObject { [:] }
    package func usage() async -> [UsageCounter] { [] }
    package func sample(into batch: inout SampleBatch) async {}
    package func events(_ emit: @escaping @Sendable (DriverEvent) -> Void) async {}

    /// The specification of the named action, without the driver's name in front.
    package func action(_ name: String) -> ActionSpec? { actions.first { $0.name == name } }
}
