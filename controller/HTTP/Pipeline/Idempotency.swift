import APIModels
import Hummingbird
import Model
import Synchronization
import Transport
import WireProtocol

/// Does what an `Idempotency-Key` names once, and answers every repetition with the answer to what was done.
final class Idempotency: Sendable {
    private struct Place: Hashable {
        let caller: String
        let key: String
    }

    private struct Memory {
        /// Being worked on by this process. A key that is taken in the store but not here is left over from a crash.
        var underWay: Set<Place> = []
        /// Answers that hold a secret, which must not come to the disk; lost with the process.
        var secretAnswers: [Place: Answer] = [:]
        var secretOrder: [Place] = []
    }

    private let answers: KeptAnswers
    private let memory = Mutex(Memory())
    private static let secretLimit = 256

    init(_ answers: KeptAnswers) { self.answers = answers }

    /// What makes two requests the same.
    static func digest(_ method: String, _ path: String, _ body: [UInt8]) -> String {
        Crypto.hex(Crypto.sha256(Array("\(method)\n\(path)\n".utf8) + body))
    }

    /// Runs `work` unless this caller has used the key before.
    func once(
        _ key: String, by caller: Caller, digest: String, at time: Timestamp, _ work: () async throws -> Answer
    ) async throws -> Response {
        let (use, place) = (
            KeptAnswers.Use(caller: caller.key, key: key, digest: digest, time: time),
            Place(caller: caller.key, key: key)
        )
        guard memory.withLock({ $0.underWay.insert(place).inserted }) else { throw Self.inFlight }
        defer { memory.withLock { _ = $0.underWay.remove(place) } }
        if let earlier = try await earlier(use, place) { return earlier }
        return try await first(use, place, work)
    }

    /// The recorded answer; nil when the key is now ours.
    private func earlier(_ use: KeptAnswers.Use, _ place: Place) async throws -> Response? {
        switch try await answers.begin(use) {
        case .fresh: return nil
        case .mismatch:
            throw Problem(
                .keyReused, "this Idempotency-Key was used for another request; use a new one",
                field: "Idempotency-Key")
        case .answered(let status, let text):
            let answer = memory.withLock { $0.secretAnswers[place] }
            var response =
                try answer?.response ?? RecordedAnswer(status: status, text: text).response
            response.headers[.idempotentReplay] = "true"
            return response
        case .taken:
            // Nobody works on it, so the process that did has died. Endpoints are safe to repeat: an order knows its
            // external id, a change of state what it is already. A token or key that was made then is of no use to
            // anybody, for its text was in the answer alone.
            try await answers.drop(use)
            _ = try await answers.begin(use)
            return nil
        }
    }

    /// Only what was done is recorded. A refusal has changed nothing: the same request is judged anew, for what stood in
    /// its way may be gone by then, and what is wrong for ever is refused again for the same reason.
    private func first(
        _ use: KeptAnswers.Use, _ place: Place, _ work: () async throws -> Answer
    ) async throws -> Response {
        do {
            let answer = try await work()
            let recorded = RecordedAnswer.of(answer)
            if recorded.hadSecret { keep(answer, place) }
            try await answers.finish(use, recorded.status, recorded.text)
            return answer.response
        } catch {
            try await answers.drop(use)
            throw error
        }
    }

    private func keep(_ answer: Answer, _ place: Place) {
        memory.withLock { memory in
            memory.secretAnswers[place] = answer
            memory.secretOrder.append(place)
            if memory.secretOrder.count > Self.secretLimit {
                memory.secretAnswers[memory.secretOrder.removeFirst()] = nil
            }
        }
    }

    private static var inFlight: Problem {
        Problem(.inFlight, "a request with this Idempotency-Key is being worked on", field: "Idempotency-Key")
    }
}

/// An answer as the store keeps it: `{"location": …, "body": …}`, without secrets.
private struct RecordedAnswer {
    let status: Int
    let text: String
    var hadSecret = false

    static func of(_ answer: Answer) -> RecordedAnswer {
        guard case .json(let bytes, let status, let location, _) = answer else {
            return RecordedAnswer(status: 204, text: "{}", hadSecret: false)
        }
        var record = JSONObject()
        if let location { record["location"] = .string(location) }
        let body = (try? JSONParser.parse(bytes, limits: .local)) ?? .null
        let kept = body.withoutSecrets
        record["body"] = kept
        return RecordedAnswer(status: status, text: JSONValue.object(record).text, hadSecret: kept != body)
    }
}

extension RecordedAnswer {
    var response: Response {
        get throws {
            let record = try JSONParser.parse(Array(text.utf8), limits: .local)
            guard let body = record["body"] else { return Answer.nothing.response }
            return Answer.json(body.encoded, status: status, location: record["location"]?.asString).response
        }
    }
}
