import APIModels
import ControllerCore
import HTTP
import Model
import WireProtocol

/// Work on a site that was asked for, or is asked for again.
struct Work: Sendable {
    /// Of the operation.
    let id: String
    /// Whether the site was so already.
    var isDone = false
    /// False when it was asked for before under the same key: what this request brings along went nowhere.
    var isNew = true

    /// What was made for this request alone may be told only where the request was taken.
    func requireNew() throws(Problem) {
        guard isNew else {
            throw Problem(
                .conflict,
                "this was asked for before under the same Idempotency-Key, and what it made is not known any more; "
                    + "ask again under another key")
        }
    }
}

extension WordPressAPI {
    /// Orders a verb of the product.
    func order(_ verb: String, _ site: Site, _ parameters: JSONObject, _ call: APICall) async throws -> Work {
        let taken = try await operations.order(verb, on: site.id, parameters: parameters, by: call.requester)
        return Work(id: try await queries(call).accepted(taken).operation.id, isNew: taken.created)
    }

    /// Orders what makes something of a site that it may be already: panels ask twice.
    func order(
        once verb: String, _ site: Site, _ call: APICall,
        _ order: @Sendable (String, Requester) async throws(CoreError) -> ServiceOperation
    ) async throws -> Work {
        do throws(CoreError) {
            let taken = try await order(site.id, call.requester)
            return Work(id: try await queries(call).accepted(taken).operation.id)
        } catch {
            guard case .notAllowedInState = error else { throw error }
            // What is on its way to that state is joined.
            if let running = try await newestOperation(verb, of: site.id, call), !running.isFinished {
                return Work(id: running.id)
            }
            guard let done = try await queries(call).done(verb, site.id) else { throw error }
            return Work(id: done.operation.id, isDone: true)
        }
    }

    /// The newest operation of a kind on a service.
    func newestOperation(_ kind: String, of service: String, _ call: APICall) async throws -> APIModels.Operation? {
        var question = OperationQuestion()
        (question.service, question.kind) = (service, kind)
        return try await queries(call).operations(question, ListPart(limit: 1)).items.first
    }

    /// Waits for the end of work, as long as whoever asked does. What comes back may not have ended.
    func end(of work: Work, _ call: APICall) async throws -> APIModels.Operation {
        try await queries(call).end(
            ofOperation: work.id, in: history, within: call.patience(atMost: settings.patience),
            until: call.departure)
    }

    /// The answer to work: how the site is then, or 202 with the operation that goes on.
    /// - Parameters:
    ///   - more: what else there is to say.
    func answer(
        _ work: Work, _ number: SiteNumber, _ paths: Paths, _ call: APICall, isOwnFault: Bool = true,
        with more: @Sendable (Site) -> JSONObject = { _ in [:] }
    ) async throws -> Answer {
        let ended: APIModels.Operation
        if work.isDone {
            ended = try await queries(call).operation(named: work.id)
        } else {
            ended = try await end(of: work, call)
            if ended.isFinished, ended.state != "succeeded", ended.state != "resolved" {
                throw Problem(ended, isOwnFault: isOwnFault)
            }
        }
        let site = try await site(number, call)
        var body = site.json.merged(with: more(site))
        guard !ended.isFinished else { return .site(body, status: 200) }
        body["operation"] = .object(Site.json(ended))
        return .site(body, status: 202, location: paths.status(number.text))
    }
}

extension Answer {
    static func site(_ body: JSONObject, status: Int = 200, location: String? = nil) -> Answer {
        .json(JSONValue.object(body).encoded, status: status, location: location)
    }
}

extension Site {
    /// A time in milliseconds as this API writes times.
    static func text(of milliseconds: Int64) -> String { Timestamp(milliseconds: milliseconds).iso8601 }
}
