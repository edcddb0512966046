import WireProtocol

/// One order of somebody who has the controller and wants the node.
struct Attempt: Sendable, CustomStringConvertible {
    let resource: String
    let arguments: JSONObject
    let secrets: JSONObject

    init(_ resource: String, _ arguments: JSONObject, secrets: JSONObject = [:]) {
        (self.resource, self.arguments, self.secrets) = (resource, arguments, secrets)
    }

    var description: String { "\(resource) \(JSONValue.object(arguments).text)" }
}

/// What an operation could be used for against its node.
enum Reach: Sendable {
    /// It takes nothing by which it could be led anywhere: why.
    case nothing(String)
    /// The packaged policy leaves it to rules that the node's owner writes.
    case byName
    /// Each of these has to fail, and leave no trace.
    case tried([Attempt])
}

extension Reach {
    static let looks = Reach.nothing("it looks at what the driver has for everybody who may look")
    static let ownThings = Reach.nothing(
        "it works on something that is there, by a name with a grammar, and on nothing else")
}
