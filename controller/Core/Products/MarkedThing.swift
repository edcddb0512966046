import Model
import Store
package import WireProtocol

/// A thing of a service on its node that bears its mark: how it is found, looked at, and given a mark that it does not have.
package struct MarkedThing: Sendable {
    /// What people call it: `dataset`. Findings are named after it.
    package var noun: String
    package var driver: String
    /// The kind of the allocation that is its name, and holds the nonce.
    package var allocation: String
    /// What the driver calls it; the value is the allocation's.
    package var resource: @Sendable (_ value: String) -> String
    /// Asks the node for it.
    package var question: @Sendable (ServiceLook, _ value: String) -> Question
    /// The state of it in what the node has answered; nil where it says that there is none.
    package var answer: @Sendable (CommandResult) -> JSONObject?
    /// The mark that it bears, by its state.
    package var mark: @Sendable (JSONObject) -> ThingMark?
    /// Whether what bears no mark can only be the service's, by its state.
    package var isOrdered: @Sendable (ServiceLook, JSONObject) -> Bool
    /// The action that gives it its mark, with its arguments beside the mark; nil for what can be given none.
    package var adoption: (@Sendable (_ value: String) -> (action: String, arguments: JSONObject))?

    package init(
        noun: String, driver: String, allocation: String, resource: @escaping @Sendable (String) -> String,
        question: @escaping @Sendable (ServiceLook, String) -> Question,
        answer: @escaping @Sendable (CommandResult) -> JSONObject? = { $0.status == .succeeded ? $0.observed : nil },
        mark: @escaping @Sendable (JSONObject) -> ThingMark?,
        isOrdered: @escaping @Sendable (ServiceLook, JSONObject) -> Bool,
        adoption: (@Sendable (String) -> (action: String, arguments: JSONObject))? = nil
    ) {
        (self.noun, self.driver, self.allocation, self.resource) = (noun, driver, allocation, resource)
        (self.question, self.answer, self.mark, self.isOrdered) = (question, answer, mark, isOrdered)
        self.adoption = adoption
    }
}

/// What a mark says of the thing that bears it.
enum MarkVerdict: Sendable, Hashable {
    case ours
    /// The service's, of a making that nobody has written down yet.
    case unknown(nonce: String)
    /// The service's, of before marks told one making from another, or it bears none at all.
    case unmarked
    case foreign(because: String)

    /// - Parameters:
    ///   - found: on the thing.
    ///   - mark: as the books have it.
    init(_ found: ThingMark?, against mark: ThingMark) {
        guard let found else {
            self = .unmarked
            return
        }
        if found.service != mark.service {
            self = .foreign(because: "it bears the mark of \(found.service.prefix(64))")
        } else if let nonce = found.nonce, Grammar.identifier.accepts(nonce) {
            // What is none could not be sent along.
            self =
                switch mark.nonce {
                case nonce: .ours
                case nil: .unknown(nonce: nonce)
                default: .foreign(because: "its mark is that of another making")
                }
        } else {
            self = .unmarked
        }
    }
}

extension Finding {
    static func foreign(
        _ noun: String, _ resource: String, of service: ServiceRecord, on node: String, because reason: String
    ) -> Finding {
        Finding(
            foreignKind(noun), subject: "service/\(service.id)", .error, node: node, service: service.id,
            summary:
                "The \(noun) of service \(service.externalID ?? service.id) is somebody else's: \(resource), \(reason).",
            remedy:
                "It was left alone. Look on the node whose it is; move it away, or give it the service's mark, and try again.",
            data: ["resource": .string(resource)])
    }

    static func unmarked(
        _ noun: String, _ resource: String, of service: ServiceRecord, on node: String, remedy: String
    ) -> Finding {
        Finding(
            unmarkedKind(noun), subject: "service/\(service.id)", .warning, node: node, service: service.id,
            summary:
                "The \(noun) of service \(service.externalID ?? service.id) bears no mark that tells its making from another: \(resource).",
            remedy: remedy, data: ["resource": .string(resource)])
    }
}
