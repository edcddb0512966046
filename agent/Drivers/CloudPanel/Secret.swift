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
    /// A password among the secrets: 8 to 128 visible ASCII characters. One that the panel's tool takes among its words
    /// may hold only letters and digits, because it goes through a shell's quoting.
    func secret(_ name: String, isOptional: Bool = false, isWord: Bool = false) throws(DriverError) -> String? {
        var reader = ArgumentReader(secrets)
        let text = try reader.optionalString(name)
        try reader.finish()
        guard let text else {
            if isOptional { return nil }
            throw DriverError(.invalidArgument, "secret \(name) is missing")
        }
        let isRight =
            (8...128).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                isWord
                    ? (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20)
                    : (0x21...0x7E).contains($0)
            }
        // Never with the text itself in the message.
        guard isRight else {
            let letters = isWord ? "letters and digits" : "visible ASCII characters"
            throw DriverError(.invalidArgument, "secret \(name) must be 8 to 128 \(letters)")
        }
        return text
    }

    /// A password that has to be there.
    func password(_ name: String = "password") throws(DriverError) -> String {
        guard let text = try secret(name, isWord: true) else {
            throw DriverError(.invalidArgument, "secret \(name) is missing")
        }
        return text
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
