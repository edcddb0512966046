/// Every line that a controller sends.
package enum ControllerMessage: Sendable, Hashable {
    case welcome(Welcome)
    case heartbeat(Heartbeat)
    case command(Command)
    case cancel(Cancel)
    case input(Input)
    case window(Window)
    case ack(Acknowledgement)
    case reconfigure(Settings)
    case certificate(CertificateGrant)
    case enrolled(Enrolled)
    case goodbye(Goodbye)
    /// Of a newer peer; to be ignored with a log line.
    case unknown(type: String)
}

extension ControllerMessage: DirectedLine {
    package static let types = [
        Welcome.type, Heartbeat.type, Command.type, Cancel.type, Input.type, Window.type, Acknowledgement.type,
        Reconfigure.type, CertificateGrant.type, Enrolled.type, Goodbye.type,
    ]

    init(type: String, reading fields: JSONObject) throws(FieldError) {
        switch type {
        case Welcome.type: self = .welcome(try Welcome(reading: fields))
        case Heartbeat.type: self = .heartbeat(try Heartbeat(reading: fields))
        case Command.type: self = .command(try Command(reading: fields))
        case Cancel.type: self = .cancel(try Cancel(reading: fields))
        case Input.type: self = .input(try Input(reading: fields))
        case Window.type: self = .window(try Window(reading: fields))
        case Acknowledgement.type: self = .ack(try Acknowledgement(reading: fields))
        case Reconfigure.type: self = .reconfigure(try Reconfigure(reading: fields).settings)
        case CertificateGrant.type: self = .certificate(try CertificateGrant(reading: fields))
        case Enrolled.type: self = .enrolled(try Enrolled(reading: fields))
        case Goodbye.type: self = .goodbye(try Goodbye(reading: fields))
        default: self = .unknown(type: type)
        }
    }

    static func fast(_ line: UnsafeRawBufferPointer) -> ControllerMessage? { nil }

    func write(_ json: inout JSONWriter) {
        switch self {
        case .welcome(let message): json.message(message)
        case .heartbeat(let message): json.message(message)
        case .command(let message): json.message(message)
        case .cancel(let message): json.message(message)
        case .input(let message): json.message(message)
        case .window(let message): json.message(message)
        case .ack(let message): json.message(message)
        case .reconfigure(let settings): json.message(Reconfigure(settings: settings))
        case .certificate(let message): json.message(message)
        case .enrolled(let message): json.message(message)
        case .goodbye(let message): json.message(message)
        case .unknown(let type): json.object(["type": .string(type)])
        }
    }
}
