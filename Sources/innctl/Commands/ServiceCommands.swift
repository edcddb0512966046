import APIModels
import ArgumentParser
import Model

struct ServiceCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service", abstract: "What customers pay for.",
        subcommands: [
            ServiceCreate.self, ServiceList.self, ServiceShow.self, ServiceSuspend.self, ServiceResume.self,
            ServiceUpgrade.self, ServiceTerminate.self, ServiceRetry.self, ServiceRepair.self, ServiceAbandon.self,
            ServiceExplain.self, ServiceLogs.self, ServiceExec.self,
        ])
}

struct ServiceCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Provision a service. The same external id twice is the same service.")
    @Option(help: "Whose it is.") var customer: String
    @Option(help: "The billing system's name for it, unique.") var externalID: String?
    @Option(name: .long, help: "A label, name=value; may be given again.") var label: [Pair] = []
    @OptionGroup var wanted: WantedOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let accepted: AcceptedOperation = try await controller.change(
            "POST", "/api/v1/services",
            wanted.order(of: customer, externalID: externalID, labels: label.isEmpty ? nil : label.map),
            key: waiting.idempotencyKey)
        try await Follow(controller, waiting, common.output).finish(accepted)
    }
}

struct ServiceList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Services, newest last.", aliases: ["ls"])
    @Option(help: "Only those in this state.") var state: String?
    @Option(help: "Only those on this node.") var node: String?
    @Option(help: "Only those of this customer.") var customer: String?
    @Option(help: "Only those of this plan.") var plan: String?
    @Flag(help: "Terminated ones as well.") var all = false
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let query = Query([
            ("state", state), ("node", node), ("customer", customer), ("plan", plan),
            ("terminated", all ? "true" : nil),
        ])
        let services: [Service] = try await Controller.connect().all("/api/v1/services", query: query)
        try common.output.list(services) { services in
            var table = Table("id", "external id", "customer", "plan", "state", "node", "age", wide: "node id")
            for service in services {
                table.add(
                    service.id, service.externalID, service.customer, service.plan, service.state,
                    service.nodeName ?? service.node, Readable.age(service.createdAt), wide: service.node)
            }
            return table
        }
    }
}

struct ServiceShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "One service, as it is now.")
    @Argument(help: "Id or external id.") var service: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let path = "/api/v1/services/\(PercentEncoding.encode(service))"
        let service: Service = try await Controller.connect().get(path)
        try common.output.show(service, ServiceCard.text)
    }
}

/// One service for people.
enum ServiceCard {
    static func text(_ service: Service) -> String {
        var card = Card()
        card.add("id", service.id)
        card.add("external id", service.externalID)
        card.add("customer", service.customer)
        card.add("plan", service.plan)
        card.add("state", service.state)
        card.add("node", Readable.node(service.node, service.nodeName))
        card.add("generation", String(service.generation))
        card.add("created", service.createdAt.iso8601)
        card.add("changed", service.updatedAt.iso8601)
        if let operation = service.operation {
            card.add("operation", "\(operation.id) \(operation.kind) \(operation.state)")
            card.add("error", operation.error?.message)
        }
        var text = card.text
        if let spec = service.spec { text += "\nspec:\n" + PrettyJSON.text(spec) }
        if let observed = service.observed { text += "\nobserved:\n" + PrettyJSON.text(observed) }
        if let metrics = service.metrics, !metrics.isEmpty {
            text += "\nmetrics:\n" + MetricsTable.latest(metrics, ["memory.used": "bytes"]).text
        }
        return text
    }
}

/// A change to one service that answers with an operation.
protocol ServiceChange: AsyncParsableCommand {
    var service: String { get }
    var waiting: WaitOptions { get }
    var common: CommonOptions { get }
    static var verb: String { get }
    var body: (any Encodable)? { get }
    /// Asks before what cannot be taken back.
    func confirm() throws(Failure)
}

/// A change that may be given a reason.
protocol ReasonedChange: ServiceChange {
    var why: ReasonOption { get }
}

extension ReasonedChange {
    var body: (any Encodable)? { why.request }
}

extension ServiceChange {
    func confirm() throws(Failure) {}

    func run() async throws {
        try confirm()
        let controller = try Controller.connect()
        let path = "/api/v1/services/\(PercentEncoding.encode(service))/\(Self.verb)"
        let accepted: AcceptedOperation = try await controller.change("POST", path, body, key: waiting.idempotencyKey)
        try await Follow(controller, waiting, common.output).finish(accepted)
    }
}

struct ServiceUpgrade: ServiceChange {
    static let configuration = CommandConfiguration(
        commandName: "upgrade", abstract: "Give a service another plan or other sizes.")
    static let verb = "upgrade"
    @Argument(help: "Id or external id.") var service: String
    @Option(help: "The new plan's name.") var plan: String?
    @OptionGroup var sizes: SizeOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if plan == nil, sizes.overrides == nil {
            throw ValidationError("give --plan, --memory, --cpu or --disk")
        }
    }

    var body: (any Encodable)? {
        UpgradeBody(plan: plan, overrides: sizes.overrides)
    }
}
