import APIModels
import ArgumentParser

// The changes to a service that take nothing but a reason.

struct ServiceSuspend: ReasonedChange {
    static let configuration = CommandConfiguration(
        commandName: "suspend", abstract: "Stop a service and keep its data.")
    static let verb = "suspend"
    @Argument(help: "Id or external id.") var service: String
    @OptionGroup var why: ReasonOption
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var common: CommonOptions
}

struct ServiceResume: ReasonedChange {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Start a suspended service.")
    static let verb = "resume"
    @Argument(help: "Id or external id.") var service: String
    @OptionGroup var why: ReasonOption
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var common: CommonOptions
}

struct ServiceTerminate: ReasonedChange {
    static let configuration = CommandConfiguration(
        commandName: "terminate", abstract: "End a service and destroy its data. There is no way back.", aliases: ["rm"]
    )
    static let verb = "terminate"
    @Argument(help: "Id or external id.") var service: String
    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var common: CommonOptions

    func confirm() throws(Failure) {
        try confirmation.ask("Service \(service) will end and its data will be destroyed. There is no way back.")
    }
}

struct ServiceRetry: ReasonedChange {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Provision a service anew whose provisioning failed.")
    static let verb = "retry"
    @Argument(help: "Id or external id.") var service: String
    @OptionGroup var why: ReasonOption
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var common: CommonOptions
}

struct ServiceRepair: ReasonedChange {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Bring back a container that is stopped or missing.")
    static let verb = "repair"
    @Argument(help: "Id or external id.") var service: String
    @OptionGroup var why: ReasonOption
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var common: CommonOptions
}

struct ServiceAbandon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abandon",
        abstract: "Strike a service off the books whose node is revoked; what is on that node stays there.")
    @Argument(help: "Id or external id.") var service: String
    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try confirmation.ask("Service \(service) will be struck off the books; what it has on its node stays there.")
        let path = "/api/v1/services/\(PercentEncoding.encode(service))/abandon"
        let service: Service = try await Controller.connect().change("POST", path, why.request)
        try common.output.show(service, ServiceCard.text)
    }
}
