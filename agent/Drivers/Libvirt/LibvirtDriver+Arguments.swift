import DriverKit
import Model
import WireProtocol

/// What the driver's actions take.
extension LibvirtDriver {
    static let arguments: [String: [Argument]] = [
        "vm.list": [], "vm.state": [.machine], "vm.logs": [.machine] + LogRequest.arguments,
        "daemon.logs": LogRequest.arguments,
    ]
}

extension Argument {
    static let machine = text("vm", .virtualMachineName, "which virtual machine")
}

extension LogRequest {
    static let arguments: [Argument] = [
        .integer("lines", 1...10_000, "how many at most").or(200),
        .integer("since", 0...253_402_300_799_999, "milliseconds since 1970").optional,
    ]
}
