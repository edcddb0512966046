import APIModels
import ControllerCore
import HTTP

/// The life of one operation: `event: operation` with all its steps when its state changes, `event: step` when a step
/// does, `event: log` for each line of its log, `event: output` for each piece of what its command says.
struct OperationEvents: EventSource {
    var progress: OperationProgress

    mutating func read() async throws -> (events: [ServerEvent], isOver: Bool) {
        let (news, isOver) = try await progress.read()
        return (try news.map { try Self.event($0.0, $0.place) }, isOver)
    }

    private static func event(_ news: OperationProgress.News, _ place: String) throws -> ServerEvent {
        switch news {
        case .operation(let operation): try ServerEvent("operation", id: place, operation)
        case .step(let step): try ServerEvent("step", id: place, step)
        case .log(let line): try ServerEvent("log", id: place, line)
        case .output(let piece): try ServerEvent("output", id: place, piece)
        }
    }
}
