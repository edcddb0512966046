import AgentCore
import DaemonKit
import DriverKit
import Glibc
import Logging
import Model
import NIOPosix

func complain(_ message: String, code: Int32) -> Never {
    LogfmtHandler.writeToStandardError("innkeeper-agent: \(message)\n")
    exit(code)
}

func enrol(controller: String, token: String, data: String) async throws {
    let text = token == "-" ? readLine(strippingNewline: true) ?? "" : token
    let enrolment = try Enrolment(
        controller: controller, token: text, data: try DataDirectory(data), machine: .current())
    switch try await enrolment.run() {
    case .enrolled(let node): print("enrolled as \(node)")
    case .alreadyEnrolled(let node): print("already enrolled as \(node)")
    }
}

func run(data path: String, config: String?) async throws {
    let configuration = try config.map { (file) throws(ConfigurationError) in try AgentConfiguration(file: file) }
    let used = configuration ?? AgentConfiguration()
    LoggingSystem.bootstrap { LogfmtHandler(label: $0, level: used.logLevel) }
    let logger = Logger(label: "innkeeper-agent")
    let data = try DataDirectory(path)
    for finding in try StateFiles.checkModes(in: data.path) { logger.warning("\(finding)") }
    guard let identity = try NodeIdentity.load(from: data) else {
        complain("\(path) belongs to no node yet: run innkeeper-agent enrol first", code: ExitCode.failure)
    }
    if identity.isExpired(at: .now()) {
        logger.error("the certificate of this node has expired; enrol it again", metadata: ["node": "\(identity.node)"])
    }
    let sources = NodeDrivers.sources(used, data: path)
    let drivers = await NodeDrivers.detect(sources)
    let names = drivers.map { type(of: $0).name }.joined(separator: ",")
    logger.notice(
        "starting", metadata: ["version": "\(Version.current)", "node": "\(identity.node)", "drivers": "\(names)"])
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let agent = try await Agent(
        identity: identity, data: data, drivers: drivers, sources: sources, machine: .current(),
        settings: used.settings, group: group, logger: logger)
    try await Daemon.run(
        [AgentService(agent: agent)], patience: used.settings.stopGrace + .seconds(40), logger: logger)
    logger.notice("ended")
    withExtendedLifetime(data) {}
}

signal(SIGPIPE, SIG_IGN)
Footprint.prepare()
Daemon.closeToOthers()
do {
    switch try Invocation(Array(CommandLine.arguments.dropFirst())) {
    case .help: print(Invocation.usage)
    case .version: print("innkeeper-agent \(Version.current)")
    case .enrol(let controller, let token, let data): try await enrol(controller: controller, token: token, data: data)
    case .doctor(let data, let config):
        let diagnosis = await Doctor(data: data, file: config).examine()
        print(diagnosis)
        exit(diagnosis.isWell ? 0 : ExitCode.failure)
    case .run(let data, let config): try await run(data: data, config: config)
    }
} catch let error as UsageError {
    complain("\(error)", code: ExitCode.usage)
} catch {
    complain("\(error)", code: ExitCode.failure)
}
