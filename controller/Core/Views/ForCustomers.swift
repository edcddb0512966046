import APIModels
import Store

/// A view that customers get too, without what it says of the fleet and of those who run it.
///
/// What placement, drivers and tools say in sentences is written for operators: it names nodes, pools and what lies beside a
/// service. A customer is told what happens to his service, how far it is and whether another try can help.
protocol ForCustomers {
    /// - Parameter actor: what the audit log calls the customer's key.
    mutating func reduce(for actor: String)
}

extension Viewer {
    /// As the viewer gets it.
    func shown<View: ForCustomers>(_ view: View) -> View {
        guard customer != nil else { return view }
        var view = view
        view.reduce(for: actor)
        return view
    }

    /// Nil where a line is not for the viewer. Of what is written by nobody but the executor customers get the words, of what
    /// went wrong that it did.
    func shown(logText text: String, _ level: String) -> String? {
        guard customer != nil else { return text }
        if OperationLogLine.isPlain(text) { return text }
        return level == "info" ? nil : OperationError.forCustomers
    }
}

extension OperationError {
    fileprivate static let forCustomers = "it did not go well; your provider can see why"
}

extension OperationLogLine {
    /// Whether the text is one that the executor itself writes of any step.
    fileprivate static func isPlain(_ text: String) -> Bool {
        let words: Set = [
            "started", "begins", "done", "undoing", "undone", "given up, going on without it",
            OperationRecord.State.succeeded.rawValue, OperationRecord.State.cancelled.rawValue,
        ]
        if words.contains(text) { return true }
        return ["attempt ", "undoing, attempt "].contains { start in
            text.hasPrefix(start) && text.dropFirst(start.count).allSatisfy { $0.isASCII && $0.isNumber }
        }
    }
}

extension Service: ForCustomers {
    mutating func reduce(for actor: String) {
        (node, nodeName, observed) = (nil, nil, nil)
        operation?.reduce(for: actor)
    }
}

extension APIModels.Operation: ForCustomers {
    mutating func reduce(for actor: String) {
        (node, nodeName, placement, result, command, requestedByName) = (nil, nil, nil, nil, nil, nil)
        if requestedBy != actor { (requestedBy, reason) = (nil, nil) }
        error?.reduce(for: actor)
        for index in (steps ?? []).indices { steps?[index].reduce(for: actor) }
    }
}

extension OperationError: ForCustomers {
    mutating func reduce(for actor: String) { (message, resource) = (Self.forCustomers, nil) }
}

extension OperationStep: ForCustomers {
    mutating func reduce(for actor: String) { error?.reduce(for: actor) }
}

extension AcceptedOperation: ForCustomers {
    mutating func reduce(for actor: String) {
        operation.reduce(for: actor)
        service?.reduce(for: actor)
    }
}

extension FindingView: ForCustomers {
    mutating func reduce(for actor: String) {
        (node, nodeName, data, acknowledgedBy, resolvedBy, note) = (nil, nil, nil, nil, nil, nil)
        subject = service.map { "service/\($0)" } ?? ""
        summary = "something is not as it should be: \(kind)"
        remedy = "Your provider can see what."
    }
}

extension NodeEventView: ForCustomers {
    mutating func reduce(for actor: String) { (node, nodeName) = (nil, nil) }
}

extension AllocationView: ForCustomers {
    mutating func reduce(for actor: String) {
        // A scope can be a node, a cluster, a network; the value is what he has.
        (node, scope) = (nil, "")
    }
}

extension Listing: ForCustomers where Item: ForCustomers {
    mutating func reduce(for actor: String) {
        for index in items.indices { items[index].reduce(for: actor) }
    }
}
