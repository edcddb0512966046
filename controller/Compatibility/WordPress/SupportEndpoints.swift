import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Model
import WireProtocol

/// `POST /support/note`.
struct NoteBody: Decodable, Sendable {
    var serviceID: SiteNumber
    var note: String
}

extension WordPressAPI {
    func support(_ paths: Paths) -> [Endpoint] {
        [
            Endpoint(
                .get, paths("/support/diagnose"), .read,
                .init(
                    summary: "How a site is from all sides, to be pasted into a ticket", tag: "support",
                    isForCustomers: true, query: ["service_id"])
            ) { call in
                let site = try await site(asked: call)
                return .site(try await diagnosis(of: site, call).json)
            },
            Endpoint(
                .post, paths("/support/note"), .services,
                .init(
                    summary: "Keep a note with a site", tag: "support", isForCustomers: true, body: NoteBody.self)
            ) { call in
                let body = try call.model(NoteBody.self)
                let site = try await site(body.serviceID, call)
                try await operations.note(body.note, on: site.id, by: call.requester)
                let notes = try await queries(call).notes(on: site.id, limit: Self.notes)
                return .site([
                    "service_id": .string(site.number.text), "notes": .array(notes.map { .object($0.json) }),
                ])
            },
        ]
    }

    private static let notes = 20

    private func diagnosis(of site: Site, _ call: APICall) async throws -> SiteDiagnosis {
        let queries = queries(call)
        var work = OperationQuestion()
        work.service = site.id
        var trouble = FindingQuestion()
        trouble.service = site.id
        return SiteDiagnosis(
            site: site, time: call.time, operations: try await queries.operations(work, ListPart(limit: 10)).items,
            findings: try await queries.findings(trouble, ListPart(limit: 20)).items,
            remarks: try await queries.examination(of: site.id),
            notes: try await queries.notes(on: site.id, limit: Self.notes))
    }
}

/// A site from all sides.
struct SiteDiagnosis: Sendable {
    let site: Site
    let time: Timestamp
    let operations: [APIModels.Operation]
    let findings: [FindingView]
    let remarks: [ServiceRemark]
    let notes: [ServiceNote]

    var json: JSONObject {
        [
            "service_id": .string(site.number.text), "time": .string(time.iso8601), "site": .object(site.json),
            "operations": .array(operations.map { .object($0.diagnosed) }),
            "findings": .array(
                findings.map {
                    [
                        "kind": .string($0.kind), "severity": .string($0.severity), "summary": .string($0.summary),
                        "since": .string($0.since.iso8601),
                    ]
                }),
            "looks": .array(
                remarks.map {
                    ["subject": .string($0.subject), "verdict": .string($0.verdict.rawValue), "text": .string($0.text)]
                }), "notes": .array(notes.map { .object($0.json) }), "text": .string(text),
        ]
    }

    /// The same for people.
    var text: String {
        var lines = [
            "Site \(site.number.text) (\(site.id)) at \(time.iso8601)",
            "status: \(site.status), plan \(site.service.plan)",
            "address: \(site.url ?? "none yet")",
        ]
        for domain in site.domains.all {
            lines.append(
                "domain: \(domain.name) is \(domain.view.state)" + (domain.view.reason.map { ": \($0)" } ?? ""))
        }
        lines += remarks.map { "\($0.verdict.mark) \($0.subject): \($0.text)" }
        lines += findings.map { "finding (\($0.severity), since \($0.since.iso8601)): \($0.summary)" }
        lines += operations.map { operation in
            let reason = operation.error.map { ": \($0.message)" } ?? ""
            return "operation \(operation.id) \(operation.kind) \(operation.state) at "
                + "\((operation.finishedAt ?? operation.createdAt).iso8601)\(reason)"
        }
        lines += notes.map { "note of \($0.time.iso8601): \($0.text)" }
        return lines.joined(separator: "\n")
    }
}

extension ServiceRemark.Verdict {
    fileprivate var mark: String {
        switch self {
        case .good: "[ok]"
        case .wrong: "[!!]"
        case .unclear: "[??]"
        }
    }
}

extension ServiceNote {
    var json: JSONObject { ["time": .string(time.iso8601), "by": .string(by), "note": .string(text)] }
}

extension APIModels.Operation {
    fileprivate var diagnosed: JSONObject {
        var json = Site.json(self)
        json["created_at"] = .string(createdAt.iso8601)
        json["finished_at"] = finishedAt.map { .string($0.iso8601) }
        json["error"] = error.map { .string($0.message) }
        return json
    }
}
