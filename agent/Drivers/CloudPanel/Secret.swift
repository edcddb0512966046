import DriverKit
import WireProtocol

/// Passwords.
enum Secret {
    private static let letters = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789")

    /// One that nobody needs to know.
    static func passing() -> String {
        var source = SystemRandomNumberGenerator()
        return String((0..<32).map { _ in letters.randomElement(using: &source)! })
    }
}

extension ActionCall {
    /// A password that has to be there.
    func password(_ name: String = "password") throws(DriverError) -> String {
        var reader = ArgumentReader(secrets)
        return try reader.string(name)
    }

    /// - Parameter thing: `site/example.com`.
    func concerns(_ thing: String) throws(DriverError) {
        guard resource == "cloudpanel/\(thing)" else {
            throw DriverError(.invalidArgument, "\(thing) is not what the call's resource \(resource) names")
        }
    }
}

extension ActionOutcome {
    /// The outcome of an action that only looks, or that found everything as it should be.
    static func seen(_ observed: JSONObject) -> ActionOutcome {
        ActionOutcome(changed: false, observed: observed)
    }
}
