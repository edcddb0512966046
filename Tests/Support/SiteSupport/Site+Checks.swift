import APIModels
import Glibc
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
        let faults = try await faults(of: service, state: state, memory: memory, quota: quota)
        #expect(faults == [], sourceLocation: location)
    }

    /// Nothing at all.
    package func expectGone(_ service: String, at location: SourceLocation = #_sourceLocation) async throws {
        #expect(try await remains(of: service) == [], sourceLocation: location)
    }

    /// Where a service differs from what was ordered, in words.
    package func faults(
        of service: String, state: String = "running", memory: Int64 = 32 << 20, quota: Int64 = 32 << 20
    ) async throws -> [String] {
        let dataset = "\(zfs.pool)/innkeeper/\(service)"
        let containers = try await engines.containers(of: service)
        let datasets = try await engines.datasets(of: service)
        var faults = [
            ("containers", containers.map(\.name), [service]), ("states", containers.map(\.state), [state]),
            ("memory", containers.map { "\($0.memoryBytes)" }, ["\(memory)"]),
            ("datasets", datasets, [dataset, "\(dataset)@initial"]),
        ]
        if datasets.contains(dataset) {
            let mountpoint = try await engines.property("mountpoint", of: dataset)
            faults.append(("mounts", containers.flatMap(\.mounts), [mountpoint]))
            faults.append(("quota", [try await engines.property("quota", of: dataset)], ["\(quota)"]))
        }
        faults.append(("books", try await books(of: service), ["2 allocations", "\(memory) memory", "\(quota) disk"]))
        return faults.compactMap { what, found, wanted in
            found == wanted ? nil : "\(what) of \(service): \(found) instead of \(wanted)"
        }
    }

    /// What is left of a service that should be gone.
    package func remains(of service: String) async throws -> [String] {
        try await engines.containers(of: service).map { "container \($0)" }
            + engines.datasets(of: service).map { "dataset \($0)" } + books(of: service)
    }

    /// Ends a service and makes sure that nothing of it is left.
    package func terminate(_ service: String) async throws {
        let accepted: AcceptedOperation = try await front.post("/api/v1/services/\(service)/terminate")
        let ended = try await front.ended(accepted.operation.id)
        guard ended.state == "succeeded" else { throw SetupFailure("terminate: \(ended)") }
        try await expectGone(service)
    }

    /// What is promised to a service, read from a backup that is taken while the controller runs.
    private func books(of service: String) async throws -> [String] {
        let file = folder.file("backup-\(UInt32.random(in: 0 ... .max)).sqlite")
        let outcome = try await Programs.run(
            "innkeeper-controller", ["backup", "--data", folder.file("controller"), file])
        guard outcome.succeeded else { throw SetupFailure("backup: \(outcome.errorText)") }
        try await Store.unpack(backup: file, to: "\(file).store")
        let store = try Store(path: "\(file).store")
        let allocations = try await store.allocations(service: service).count
        let reservation = try await store.reservation(service: service)
        await store.close()
        for suffix in ["", "-wal", "-shm"] { unlink(file + suffix) }
        return (allocations == 0 ? [] : ["\(allocations) allocations"])
            + (reservation.map { ["\($0.memoryBytes) memory", "\($0.diskBytes) disk"] } ?? [])
    }
}
