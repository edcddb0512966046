/// Every line that an agent sends.
package enum AgentMessage: Sendable, Hashable {
    case hello(Hello)
    case drivers(DriversReport)
    case heartbeat(Heartbeat)
    case accepted(Accepted)
    case progress(CommandProgress)
    case output(Output)
    case consumed(Consumed)
    case result(CommandResult)
    case series(SeriesDefinition)
    case metrics(Metrics)
    case usage(Usage)
    case inventory(Inventory)
    case event(NodeEvent)
    case gap(Gap)
    case renew(CertificateRenewal)
    case enrol(EnrolmentRequest)
    case goodbye(Goodbye)
    /// Of a newer peer; to be ignored with a log line.
    case unknown(type: String)
}

extension AgentMessage: DirectedLine {
    package static let types = [
        Hello.type, DriversReport.type, Heartbeat.type, Accepted.type, CommandProgress.type, Output.type,
        Consumed.type, CommandResult.type, SeriesDefinition.type, Metrics.type, Usage.type, Inventory.type,
        NodeEvent.type, Gap.type, CertificateRenewal.type, EnrolmentRequest.type, Goodbye.type,
    ]

    init(type: String, reading fields: JSONObject) throws(FieldError) {
        switch type {
        case Hello.type: self = .hello(try Hello(reading: fields))
        case DriversReport.type: self = .drivers(try DriversReport(reading: fields))
        case Heartbeat.type: self = .heartbeat(try Heartbeat(reading: fields))
        case Accepted.type: self = .accepted(try Accepted(reading: fields))
        case CommandProgress.type: self = .progress(try CommandProgress(reading: fields))
        case Output.type: self = .output(try Output(reading: fields))
        case Consumed.type: self = .consumed(try Consumed(reading: fields))
        case CommandResult.type: self = .result(try CommandResult(reading: fields))
        case SeriesDefinition.type: self = .series(try SeriesDefinition(reading: fields))
        case Metrics.type: self = .metrics(try Metrics(reading: fields))
        case Usage.type: self = .usage(try Usage(reading: fields))
        case Inventory.type: self = .inventory(try Inventory(reading: fields))
        case NodeEvent.type: self = .event(try NodeEvent(reading: fields))
        case Gap.type: self = .gap(try Gap(reading: fields))
        case CertificateRenewal.type: self = .renew(try CertificateRenewal(reading: fields))
        case EnrolmentRequest.type: self = .enrol(try EnrolmentRequest(reading: fields))
        case Goodbye.type: self = .goodbye(try Goodbye(reading: fields))
        default: self = .unknown(type: type)
        }
    }

    /// Metrics come thousands a second; they are read straight from the bytes.
    static func fast(_ line: UnsafeRawBufferPointer) -> AgentMessage? {
        Metrics(scanning: line).map(AgentMessage.metrics)
    }

    func write(_ json: inout JSONWriter) {
        switch self {
        case .hello(let message): json.message(message)
        case .drivers(let message): json.message(message)
        case .heartbeat(let message): json.message(message)
        case .accepted(let message): json.message(message)
        case .progress(let message): json.message(message)
        case .output(let message): json.message(message)
        case .consumed(let message): json.message(message)
        case .result(let message): json.message(message)
        case .series(let message): json.message(message)
        case .metrics(let message): json.message(message)
        case .usage(let message): json.message(message)
        case .inventory(let message): json.message(message)
        case .event(let message): json.message(message)
        case .gap(let message): json.message(message)
        case .renew(let message): json.message(message)
        case .enrol(let message): json.message(message)
        case .goodbye(let message): json.message(message)
        case .unknown(let type): json.object(["type": .string(type)])
        }
    }
}
