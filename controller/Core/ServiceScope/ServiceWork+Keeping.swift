package import Saga
import Store

// Between an effect outside and the journal there may be a crash. So each step looks before it acts: what bears our mark is
// adopted, what does not is a conflict, and what was said to be done is looked at again. Where nothing can bear a mark, a step before
// has journalled that the name was free: what is then there, and is as we wanted it, is ours.

extension ServiceWork {
    /// By which our things are known outside: the id of the service, which no other ever has.
    package var mark: String { service.id }

    /// Whether nothing is there under the name. The output of a step before `ensure` where the keeper's things bear no marks.
    package func isFree<Thing: ManagedObject>(
        _ name: String, at keeper: ObjectProvider<Thing>
    ) async throws(StepFailure) -> Bool {
        do throws(PortError) { return try await keeper.find(name, mark) == nil } catch {
            throw StepFailure(error, "\(Thing.noun) \(name)")
        }
    }

    /// Sees to it that the thing is there, is ours and is so. Returns it as it was found afterwards.
    /// - Parameter wasFree: what `isFree` has journalled; tells nothing where things bear marks.
    package func ensure<Thing: ManagedObject>(
        _ thing: Thing, at keeper: ObjectProvider<Thing>, wasFree: Bool = false, isSo: @Sendable (Thing) -> Bool
    ) async throws(StepFailure) -> Thing {
        let resource = "\(Thing.noun) \(thing.name)"
        if let found = try await found(thing.name, at: keeper, wasFree, resource), isSo(found) { return found }
        do throws(PortError) { try await keeper.put(thing, mark) } catch { throw StepFailure(error, resource) }
        let made: Thing?
        do throws(StepFailure) { made = try await found(thing.name, at: keeper, wasFree, resource) } catch {
            // Whoever does not let us look again has it all the same.
            var failure = error
            failure.effect = .possible
            throw failure
        }
        guard let made, isSo(made) else {
            throw StepFailure(
                .retryable, code: "not_there", message: "\(resource) was made and is not to be seen", resource: resource
            )
        }
        return made
    }

    package func ensure<Thing: ManagedObject>(
        _ thing: Thing, at keeper: ObjectProvider<Thing>, wasFree: Bool = false
    ) async throws(StepFailure) -> Thing {
        try await ensure(thing, at: keeper, wasFree: wasFree) { $0 == thing }
    }

    /// Sees to it that nothing of ours is there under the name. What is somebody else's stays.
    /// - Parameter wasFree: what `isFree` had journalled before it was made; without it nothing that bears no mark is removed.
    package func ensureGone<Thing: ManagedObject>(
        _ name: String, at keeper: ObjectProvider<Thing>, wasFree: Bool = false
    ) async throws(StepFailure) {
        let resource = "\(Thing.noun) \(name)"
        let mark = mark
        func isOurs(_ found: MarkedObject<Thing>) -> Bool { keeper.bearsMarks ? found.mark == mark : wasFree }
        do throws(PortError) {
            guard let found = try await keeper.find(name, mark), isOurs(found) else { return }
            try await keeper.remove(name, mark)
            guard let left = try await keeper.find(name, mark), isOurs(left) else { return }
        } catch { throw StepFailure(error, resource) }
        throw StepFailure(
            .retryable, code: "still_there", message: "\(resource) was removed and is still there", resource: resource)
    }

    private func found<Thing: ManagedObject>(
        _ name: String, at keeper: ObjectProvider<Thing>, _ wasFree: Bool, _ resource: String
    ) async throws(StepFailure) -> Thing? {
        let found: MarkedObject<Thing>?
        do throws(PortError) { found = try await keeper.find(name, mark) } catch { throw StepFailure(error, resource) }
        guard let found else { return nil }
        guard keeper.bearsMarks ? found.mark == mark : wasFree else {
            throw StepFailure(
                PortError(.conflict, "\(resource) is there already and is not this service's"), resource)
        }
        return found.thing
    }
}
