import DriverKit
import Synchronization
import WireProtocol

/// One order of a recipe's verb: look whether all is right already, run the script, look again.
struct RecipeRun<Guest: RecipeHost>: Sendable {
    let host: Guest
    let call: ActionCall
    let context: ActionContext
    let recipe: Recipe
    let verb: RecipeVerb
    let values: [(name: String, value: String)]

    private typealias Heard = RecipeListener.Heard

    func outcome() async throws(DriverError) -> ActionOutcome {
        guard verb.check != nil else {
            let heard = try await successful(.run)
            return ActionOutcome(changed: verb.changes && !heard.isUnchanged, observed: result(heard.given))
        }
        let before = try await checked(.before)
        if before.exitCode == 0 { return ActionOutcome(changed: false, observed: result(before.given)) }
        let made = try await successful(.run)
        do throws(DriverError) {
            let after = try await checked(.after)
            guard after.exitCode == 0 else {
                throw error(.failed, "has run, but its check says that the guest is not as wanted", after, again: true)
            }
            return ActionOutcome(
                changed: !made.isUnchanged, observed: result(made.given.merging(after.given) { $1 }))
        } catch { throw error.afterChange() }
    }

    /// A look, which may find the guest not to be as wanted.
    func look() async throws(DriverError) -> ActionOutcome {
        guard verb.check != nil else {
            return ActionOutcome(changed: false, observed: result(try await successful(.run).given))
        }
        let found = try await checked(.before)
        var seen = result(found.given)
        seen["right"] = .bool(found.exitCode == 0)
        return ActionOutcome(changed: false, observed: seen)
    }

    private func checked(_ phase: RecipePhase) async throws(DriverError) -> Heard {
        let heard = try await heard(phase, within: RecipeVerb.checkLimit)
        guard let code = heard.exitCode, heard.failure == nil, code <= 1 else { throw failure(heard) }
        return heard
    }

    private func successful(_ phase: RecipePhase) async throws(DriverError) -> Heard {
        do throws(DriverError) {
            let heard = try await heard(phase, within: verb.limit)
            guard heard.exitCode == 0, heard.failure == nil else { throw failure(heard) }
            return heard
        } catch {
            throw verb.changes && error.hasBegun ? error.afterChange() : error
        }
    }

    /// Runs one script in the guest and hears it to its end.
    /// - Throws: when it did not come to an end of its own, or was not begun.
    private func heard(_ phase: RecipePhase, within limit: Duration) async throws(DriverError) -> Heard {
        let marker = "innkeeper-\(Self.word())"
        let text = RecipeText(recipe: recipe, verb: verb, phase: phase, values: values, marker: marker)
        let listener = RecipeListener(marker, verb.returns, context)
        let bytes = text.bytes
        let inner = ActionContext(
            commandID: context.commandID, logger: context.logger,
            input: AsyncStream { input in
                input.yield(bytes)
                input.finish()
            },
            output: { stream, bytes throws(CancellationError) in listener.hear(stream, bytes) })
        let (host, call) = (host, call)
        let end = await Self.within(limit) { () async -> Result<Int64, DriverError> in
            do throws(DriverError) { return .success(try await host.enter(call, RecipeText.command, inner)) } catch {
                return .failure(error)
            }
        }
        let heard = listener.all
        if end.isLate {
            throw error(.timedOut, "did not end within \(limit.components.seconds) s and was stopped", heard)
        }
        switch end.result {
        case .failure(let reason): throw hasBegun(heard) ? cut(heard, reason) : reason
        case .success(let code): try judge(heard, code)
        }
        return heard
    }

    private func hasBegun(_ heard: Heard) -> Bool { heard.hasBegun }

    private func judge(_ heard: Heard, _ code: Int64) throws(DriverError) {
        if let system = heard.foreignSystem {
            let known = recipe.systems.joined(separator: ", ")
            throw DriverError(
                .unsupported, "recipe \(recipe.name) is for \(known), and the guest is \(system)")
        }
        if heard.isBusy {
            throw DriverError(.busy, "another run of a recipe is still at work in the guest")
        }
        guard !heard.hasBegun else {
            if heard.exitCode == nil { throw cut(heard, nil) }
            return
        }
        throw DriverError(
            .failed, "the guest's shell did not begin recipe \(recipe.name) (exit code \(code))", retryable: true,
            cause: RecipeListener.said(heard, hiding: secrets(heard)))
    }

    /// The way into the guest ended before the script said its last word: the guest was stopped, or somebody killed it.
    private func cut(_ heard: Heard, _ reason: DriverError?) -> DriverError {
        if reason?.code == .cancelled || reason?.code == .timedOut {
            return error(reason?.code ?? .cancelled, "was stopped", heard)
        }
        return error(
            .unknownOutcome, "was cut off in the middle, as when its guest is stopped; run again it repairs", heard,
            again: true)
    }

    private func failure(_ heard: Heard) -> DriverError {
        if let (reason, again) = heard.failure { return error(.failed, "failed: \(reason)", heard, again: again) }
        return error(.failed, "failed with exit code \(heard.exitCode ?? -1)", heard, again: true)
    }

    private func error(
        _ code: DriverErrorCode, _ what: String, _ heard: Heard, again: Bool? = nil
    ) -> DriverError {
        let stage = heard.stage.map { " (while: \($0))" } ?? ""
        let title = verb.name == Recipe.install ? recipe.name : "\(recipe.name), \(verb.name),"
        return DriverError(
            code, "recipe \(title) \(what)\(stage)", retryable: again,
            cause: RecipeListener.said(heard, hiding: secrets(heard))
        ).observing(["begun": .bool(heard.hasBegun)])
    }

    private func secrets(_ heard: Heard) -> [String] {
        let given = Set(verb.parameters.filter(\.isSecret).map(\.argument.name))
        let returned = Set(verb.returns.filter(\.isSecret).map(\.name))
        return values.filter { given.contains($0.name) }.map(\.value)
            + heard.given.filter { returned.contains($0.key) }.map(\.value)
    }

    private func result(_ given: [String: String]) -> JSONObject {
        let (open, secret) = (verb.returns.filter { !$0.isSecret }, verb.returns.filter(\.isSecret))
        func object(_ returns: [RecipeReturn]) -> JSONObject {
            JSONObject(returns.compactMap { one in given[one.name].map { (one.name, .string($0)) } })
        }
        var seen: JSONObject = [
            "recipe": .string(recipe.name), "version": .string(recipe.version), "verb": .string(verb.name),
            "returned": .object(object(open)),
        ]
        if !object(secret).isEmpty { seen["secrets"] = .object(object(secret)) }
        return seen
    }

    /// Another one for each script, so that no program of it can say by chance or on purpose what the script did not.
    private static func word() -> String { String(UInt64.random(in: 0 ... .max), radix: 36) }

    /// Cancels the work when the time is over, and waits for its end in any case.
    private static func within<Value: Sendable>(
        _ limit: Duration, _ work: @escaping @Sendable () async -> Value
    ) async -> (result: Value, isLate: Bool) {
        let isLate = Atomic(false)
        return await withTaskGroup(of: Value?.self) { group in
            group.addTask { await work() }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            var result: Value?
            while result == nil, let ended = await group.next() {
                if ended == nil, !Task.isCancelled { isLate.store(true, ordering: .relaxed) }
                if ended == nil { group.cancelAll() }
                result = ended
            }
            group.cancelAll()
            // The work always gives one.
            return (result!, isLate.load(ordering: .relaxed))
        }
    }
}

extension DriverError {
    /// Whether the script had begun when it went wrong.
    fileprivate var hasBegun: Bool { observed["begun"]?.asBool ?? false }
}
