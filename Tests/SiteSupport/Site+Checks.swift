import APIModels
import Model
import Processes
import Store
import TestSupport
package import Testing

/// What must be true of a service on the engines and in the books.
extension Site {
    /// Exactly one of everything, as ordered.
    package func expectWhole(
        _ service: String, state: String = "running", memory: Int64 = 32 << 20, quota: Int64 = 32 << 20,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let dataset = "\(zfs.pool)/innkeeper/\(service)"
        let containers = try await engines.containers(of: service)
        #expect(containers.map(\.name) == [service], sourceLocation: location)
        #expect(containers.map(\.state) == [state], sourceLocation: location)
        #expect(containers.map(\.memoryBytes) == [memory], sourceLocation: location)
        let mountpoint = try await engines.property("mountpoint", of: dataset)
        #expect(containers.map(\.mounts) == [[mountpoint]], sourceLocation: location)
        #expect(try await engines.datasets(of: service) == [dataset, "\(dataset)@initial"], sourceLocation: location)
        #expect(try await engines.property("quota", of: dataset) == "\(quota)", sourceLocation: location)
        let books = try await books(of: service)
        #expect(books.allocations == 2 && books.memory == memory && books.disk == quota, sourceLocation: location)
    }

    /// Nothing at all.
    package func expectGone(_ service: String, at location: SourceLocation = #_sourceLocation) async throws {
        #expect(try await engines.containers(of: service) == [], sourceLocation: location)
        #expect(try await engines.datasets(of: service) == [], sourceLocation: location)
        let books = try await books(of: service)
        #expect(books.allocations == 0 && books.memory == nil && books.disk == nil, sourceLocation: location)
    }

    /// Ends a service and makes sure that nothing of it is left.
    package func terminate(_ service: String) async throws {
        let accepted: AcceptedOrder = try await front.post("/api/v1/services/\(service)/terminate")
        let ended = try await front.ended(accepted.operation.id)
        guard ended.state == "succeeded" else { throw SetupFailure("terminate: \(ended)") }
        try await expectGone(service)
    }

    /// What is promised to a service, read from a backup that is taken while the controller runs.
    private func books(of service: String) async throws -> (allocations: Int, memory: Int64?, disk: Int64?) {
        let file = folder.file("backup-\(UInt32.random(in: 0 ... .max)).sqlite")
        let outcome = try await Programs.run(
            "innkeeper-controller", ["backup", "--data", folder.file("controller"), file])
        guard outcome.succeeded else { throw SetupFailure("backup: \(outcome.errorText)") }
        let store = try Store(path: file)
        let allocations = try await store.allocations(service: service).count
        let reservation = try await store.reservation(service: service)
        await store.close()
        return (allocations, reservation?.memoryBytes, reservation?.diskBytes)
    }
}
