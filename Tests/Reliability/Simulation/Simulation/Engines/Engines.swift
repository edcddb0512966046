import DriverKit
import Model
import WireProtocol

/// The engines of one node: each works on a resource one request at a time, in their order, whatever becomes of the agent
/// that asked. Requests take time, fail, or hang, as the seed has it.
final class Engines {
    /// How the engines of a node behave now; each is a share of all requests.
    struct Mood {
        var failing = 0.0
        var slow = 0.0
        /// So slow that the deadline passes.
        var hanging = 0.0
        /// How long pods take to become ready.
        var pods: Moment = .seconds(8)
    }

    private enum Fate { case ends, failsBefore(DriverError), failsAfter(DriverError) }

    var mood = Mood() {
        didSet { model.cluster.take(mood.pods, from: scheduler.now) }
    }
    private(set) var model = EngineModel()
    let node: Int
    private var chance: Chance
    private var queues: [String: [Request]] = [:]
    private let truth: Truth
    private let scheduler = Scheduler.shared

    init(node: Int, seed: UInt64, truth: Truth) {
        self.node = node
        self.truth = truth
        chance = Chance(seed: seed, for: "engines \(node)")
    }

    /// One request of an agent.
    final class Request: @unchecked Sendable {
        // Unchecked: one thread.
        let command: String
        let driver: String
        let call: ActionCall
        let mutates: Bool
        fileprivate var asker: Owner?
        fileprivate var answer: ((EngineModel.Answer) -> Void)?
        fileprivate var hasBegun = false
        fileprivate(set) var hasTakenEffect = false
        var isCancelled = false

        init(command: String, driver: String, call: ActionCall, mutates: Bool) {
            self.command = command
            self.driver = driver
            self.call = call
            self.mutates = mutates
        }
    }

    func submit(_ request: Request, _ answer: @escaping (EngineModel.Answer) -> Void) {
        if request.mutates { truth.began(request.command, on: node) }
        request.asker = scheduler.current
        request.answer = answer
        if request.isCancelled { return finish(request, .failure(.init(.cancelled, "cancelled before it began"))) }
        queues[request.call.resource, default: []].append(request)
        if queues[request.call.resource]?.count == 1 { begin(request) }
    }

    private func begin(_ request: Request) {
        request.hasBegun = true
        let fate = fate()
        scheduler.after(duration()) { [self] in
            var answer: EngineModel.Answer
            if case .failsBefore(let error) = fate {
                answer = .failure(error)
            } else {
                let before = model.cluster
                answer = model.perform(request.driver, request.call, as: request.command, at: scheduler.now)
                if request.mutates { effect(request, answer) }
                if case .failsAfter(let error) = fate, case .success = answer {
                    if request.driver == "helm", chance.happens(0.5) {
                        model.cluster.abandon(request.call, over: before, at: scheduler.now)
                    }
                    answer = .failure(error.afterChange())
                }
            }
            leave(request)
            scheduler.after(chance.around(.milliseconds(5))) { [self] in finish(request, answer) }
        }
    }

    private func effect(_ request: Request, _ answer: EngineModel.Answer) {
        guard case .success = answer else { return }
        request.hasTakenEffect = true
        truth.effect(of: request.command, request.call, on: node)
    }

    private func leave(_ request: Request) {
        let resource = request.call.resource
        queues[resource]?.removeAll { $0 === request }
        guard let next = queues[resource]?.first else { return queues[resource] = nil }
        // One that waited has left; the first is at work already.
        if !next.hasBegun { begin(next) }
    }

    /// The agent asks for an end. What waits never begins; what has begun may go on unseen, or be waited for.
    func cancel(_ request: Request) {
        request.isCancelled = true
        guard request.answer != nil else { return }
        if !request.hasBegun {
            leave(request)
            return finish(request, .failure(.init(.cancelled, "cancelled before it began")))
        }
        guard chance.happens(0.5) else { return }
        let error = DriverError(.unknownOutcome, "cancelled in the middle; the engine may still do it")
        scheduler.after(chance.around(.milliseconds(300))) { [self] in finish(request, .failure(error)) }
    }

    /// Tells the process that asked, if it still lives.
    private func finish(_ request: Request, _ answer: EngineModel.Answer) {
        guard let tell = request.answer, let asker = request.asker, !asker.isDead else { return }
        request.answer = nil
        scheduler.within(asker) { tell(answer) }
    }

    private func duration() -> Moment {
        if chance.happens(mood.hanging) { return .seconds(60) + chance.around(.seconds(120)) }
        if chance.happens(mood.slow) { return chance.around(.seconds(10)) }
        return chance.around(.milliseconds(200))
    }

    private func fate() -> Fate {
        guard chance.happens(mood.failing) else { return .ends }
        let error = DriverError(chance.pick([.busy, .unavailable, .outOfSpace, .failed]), "the engine failed")
        return chance.happens(0.5) ? .failsBefore(error) : .failsAfter(error)
    }
}
