import APIModels
import ControllerCore
import HTTP
import HTTPTypes

extension APIResources {
    /// Backups of services.
    var backups: [Endpoint] { backupViews + backupChanges }

    private var backupViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/services/{service}/backups", .read,
                .init(
                    summary: "A service's backups, oldest first, and when each was last verified", tag: "backups",
                    isForCustomers: true, answer: Listing<BackupView>.self)
            ) { call in try await .model(queries(call).backups(of: call.path("service"))) },
            Endpoint(
                .get, "/api/v1/backups/{backup}", .read,
                .init(summary: "One backup", tag: "backups", isForCustomers: true, answer: BackupView.self)
            ) { call in try await .model(queries(call).backup(call.path("backup"))) },
        ]
    }

    private var backupChanges: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/services/{service}/backups", .services,
                .init(
                    summary: "Back a service up; the oldest beyond the plan's retention go", tag: "backups",
                    isForCustomers: true, body: ReasonRequest.self, isBodyOptional: true,
                    answer: AcceptedOperation.self, status: 202, repeated: 200)
            ) { call in
                let reason = try call.reason()
                return try await ordered(
                    operations.backUp(service(call).id, because: reason, by: call.requester), call)
            },
            Endpoint(
                .delete, "/api/v1/backups/{backup}", .services,
                .init(
                    summary: "Remove a backup from its storage", tag: "backups", isForCustomers: true,
                    body: ReasonRequest.self, isBodyOptional: true, answer: AcceptedOperation.self, status: 202,
                    repeated: 200)
            ) { call in
                let reason = try call.reason()
                return try await ordered(
                    operations.removeBackup(backup(call), because: reason, by: call.requester), call)
            },
            Endpoint(
                .post, "/api/v1/backups/{backup}/restore", .services,
                .init(
                    summary: "Take a service back to a backup, or make another service of it", tag: "backups",
                    isForCustomers: true, body: RestoreBody.self, isBodyOptional: true,
                    answer: AcceptedOperation.self, status: 202, repeated: 200)
            ) { call in
                let order = try call.optionalModel(RestoreBody.self) ?? RestoreBody()
                let id = try await backup(call)
                guard let into = order.into else {
                    return try await ordered(
                        operations.restoreBackup(id, because: order.reason, by: call.requester), call)
                }
                let wanted = RestoreRequest(externalID: into.externalID, plan: into.plan, customer: into.customer)
                return try await ordered(operations.restoreBackup(id, into: wanted, by: call.requester), call)
            },
        ]
    }

    /// The id in the path, of one that the caller may see.
    private func backup(_ call: APICall) async throws -> String {
        try await queries(call).backup(call.path("backup")).id
    }
}
