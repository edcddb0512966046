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
        wanted.sizes.tellDoubts()
        let controller = try Controller.connect()
        let order = wanted.order(of: customer, externalID: externalID, labels: label.isEmpty ? nil : label.map)
        let accepted: AcceptedOperation
        do {
            accepted = try await controller.change("POST", "/api/v1/services", order, key: waiting.idempotencyKey)
        } catch { throw await error.naming(plan: wanted.plan, controller) }
        if let service = accepted.service, service.state == "terminated" {
            throw Failure(
                .conflict,
                "external id \(externalID ?? service.id) belongs to service \(service.id), which is terminated: it stands "
                    + "for that one for good; order with another one")
        }
        try await Follow(controller, waiting, common.output).finish(accepted, namesService: true)
    }
}

struct ServiceList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Services, newest last.", aliases: ["ls"])
    @Option(help: "Only those in this state.") var state: String?
    @Option(help: "Only those on this node.") var node: String?
    @Option(help: "Only those of this customer.") var customer: String?
    @Option(help: "Only those of this plan.") var plan: String?
    @Option(name: .long, help: "Only those with this label, name=value; may be given again.") var label: [Pair] = []
    @Flag(help: "Terminated ones as well.") var all = false
    @OptionGroup var common: CommonOptions

    func run() async throws {
        var query = Query([
            ("state", state), ("node", node), ("customer", customer), ("plan", plan),
            ("terminated", all ? "true" : nil),
        ])
        for one in label { query.append("label", "\(one.name)=\(one.value)") }
        let services: [Service] = try await Controller.connect().all("/api/v1/services", query: query)
        try common.output.list(services) { services in
            var table = Table(
                "id", "external id", "customer", "plan", "state", "node", "age", wide: "product", "node id",
                yielding: ["age", "customer"])
            for service in services {
                table.add(
                    service.id, service.externalID, service.customer, service.plan, service.state,
                    service.nodeName ?? service.node, Readable.age(service.createdAt), wide: service.product,
                    service.node)
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
        let controller = try Controller.connect()
        let service: Service = try await controller.get(path)
        let warning = common.output.isForPeople ? await silence(of: service.node, controller) : nil
        // Units, and when it was measured; without it the figures stand alone.
        let measured =
            common.output.isForPeople ? try? await controller.get(path + "/metrics/latest") as LatestMetrics : nil
        try common.output.show(service) { ServiceCard.text($0, warning: warning, measured: measured) }
    }

    /// What a node that is away has told is of the past.
    private func silence(of node: String?, _ controller: Controller) async -> String? {
        guard let id = node, let node = try? await controller.get("/api/v1/nodes/\(id)") as Node,
            node.state != "connected"
        else { return nil }
        let seen = Readable.age(node.lastSeen).map { ", last seen \($0) ago" } ?? ""
        return "node \(node.name) is \(node.state)\(seen): what was observed may be no more so"
    }
}

/// One service for people.
enum ServiceCard {
    static func text(_ service: Service) -> String { text(service, warning: nil, measured: nil) }

    /// - Parameters:
    ///   - warning: why what follows may be of the past.
    ///   - measured: its figures, with their units and their time.
    static func text(_ service: Service, warning: String?, measured: LatestMetrics?) -> String {
        var card = Card()
        card.add("id", service.id)
        card.add("external id", service.externalID)
        card.add("customer", service.customer)
        card.add("product", service.product)
        card.add("plan", service.plan)
        card.add("state", service.state)
        card.add("drift", service.drift)
        card.add("node", Readable.node(service.node, service.nodeName))
        card.add("beware", warning)
        card.add("generation", String(service.generation))
        card.add("created", service.createdAt.iso8601)
        card.add("changed", service.updatedAt.iso8601)
        if let operation = service.operation {
            card.add("operation", "\(operation.id) \(operation.kind) \(operation.state)")
            card.add("error", operation.error?.message ?? cancelled(operation, service))
        }
        card.add("promised", tree: service.spec)
        card.add("observed", tree: service.observed)
        guard let figures = measured?.values ?? service.metrics, !figures.isEmpty else { return card.text }
        card.add("measured", measured.map { MetricsView.measured($0.time) } ?? "as follows")
        return card.text + "\n" + MetricsTable.latest(figures, measured?.units ?? [:]).text
    }

    /// A service whose making was called off has no error of its own.
    private static func cancelled(_ operation: APIModels.Operation, _ service: Service) -> String? {
        guard operation.state == "cancelled", service.state == "failed" else { return nil }
        return
            "its \(operation.kind) was cancelled; innctl service retry \(service.externalID ?? service.id) begins anew"
    }
}

/// A change to one service that answers with an operation.
protocol ServiceChange: AsyncParsableCommand {
    var service: String { get }
    var waiting: WaitOptions { get }
    var common: CommonOptions { get }
    static var verb: String { get }
    var body: (any Encodable)? { get }
    /// The plan that it is to have from now on, where one was named.
    var wantedPlan: String? { get }
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
    var wantedPlan: String? { nil }
    func confirm() throws(Failure) {}

    func run() async throws {
        try confirm()
        let controller = try Controller.connect()
        let path = "/api/v1/services/\(PercentEncoding.encode(service))/\(Self.verb)"
        let accepted: AcceptedOperation
        do { accepted = try await controller.change("POST", path, body, key: waiting.idempotencyKey) } catch {
            throw await wantedPlan.asyncMap { await error.naming(plan: $0, controller) } ?? error
        }
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

    var wantedPlan: String? { plan }

    func confirm() throws(Failure) { sizes.tellDoubts() }
}
