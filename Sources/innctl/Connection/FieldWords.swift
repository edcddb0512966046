import APIModels
import Model

/// The API's words in an error as the words of the command line: fields as options, amounts as one types them.
enum FieldWords {
    private static let options = [
        "overrides.memory_bytes": "--memory", "overrides.cpu_millis": "--cpu", "overrides.disk_bytes": "--disk",
        "spec.memory_bytes": "--memory", "spec.cpu_millis": "--cpu", "spec.disk_bytes": "--disk",
        "memory_bytes": "--memory", "cpu_millis": "--cpu", "disk_bytes": "--disk",
        "expires_in_seconds": "--expires", "deadline_seconds": "--deadline", "external_id": "--external-id",
        "customer": "--customer", "plan": "--plan", "state": "--state", "severity": "--severity", "kind": "--kind",
        "uses": "--uses", "scopes": "--scope", "note": "--note", "reason": "--reason", "node": "--node",
        "service": "--service", "step": "--step",
    ]

    /// The sentence of a problem for whoever typed a command.
    static func sentence(_ problem: Problem) -> String {
        guard let field = problem.field, let option = options[field] else { return problem.detail }
        var text = problem.detail
        for form in ["the query parameter \(field) ", "field \(field) ", "\(field) "] where text.hasPrefix(form) {
            text = option + " " + text.dropFirst(form.count)
            break
        }
        return text.split(separator: " ", omittingEmptySubsequences: false).map { word in
            let digits = word.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int64(digits), let amount = amount(number, of: field) else { return String(word) }
            return amount + word.dropFirst(digits.count)
        }.joined(separator: " ")
    }

    /// Nil where the number is one of its own.
    private static func amount(_ number: Int64, of field: String) -> String? {
        if field.hasSuffix("_bytes") { return ByteCount(number)?.description }
        if field.hasSuffix("_seconds") { return Int(exactly: number).flatMap { Span(argument: "\($0)s") }?.text }
        if field.hasSuffix("_millis") { return Readable.cores(number) }
        return nil
    }
}
